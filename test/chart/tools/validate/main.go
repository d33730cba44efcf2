// Command validate reads a chart's rendered objects from standard input and says what a cluster would refuse.
//
// It decodes strictly (an unknown or repeated field is a fault), and then runs the checks of the API server itself: its
// create strategies for its own kinds, the published schema with its rules for HTTPRoute, and the restricted Pod
// Security Standard for every pod. No cluster is needed, and nothing is fetched.
//
// Usage: validate CRD... < manifests.yaml
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	resources, err := readResources(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	faults, objects, err := validateAll(os.Stdin, resources)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, fault := range faults {
		fmt.Println(fault)
	}
	fmt.Fprintf(os.Stderr, "%d objects, %d faults\n", objects, len(faults))
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// validateAll returns what is wrong with each document of a stream, and how many there were.
func validateAll(stream io.Reader, resources customResources) (faults []string, objects int, err error) {
	reader := yaml.NewYAMLReader(bufio.NewReader(stream))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return faults, objects, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if isEmpty(document) {
			continue
		}
		objects++
		faults = append(faults, validate(document, resources)...)
	}
}

// isEmpty is true for a document of comments alone, which a template that renders nothing leaves behind.
func isEmpty(document []byte) bool {
	for line := range bytes.Lines(document) {
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && !bytes.Equal(text, []byte("---")) {
			return false
		}
	}
	return true
}
