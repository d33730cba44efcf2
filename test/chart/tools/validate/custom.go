package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// customResource is one version of a custom resource: its schema, and the rules (CEL) in it.
type customResource struct {
	schema    *structural.Structural
	validator validation.SchemaValidator
	rules     *cel.Validator
}

type customResources map[schema.GroupVersionKind]customResource

// readResources reads CustomResourceDefinitions, one a file.
func readResources(paths []string) (customResources, error) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	resources := customResources{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var external v1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &external); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		scheme.Default(&external)
		for _, version := range external.Spec.Versions {
			var internal apiextensions.CustomResourceValidation
			if err := scheme.Convert(version.Schema, &internal, nil); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			resource, err := newResource(internal.OpenAPIV3Schema)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			kind := schema.GroupVersionKind{Group: external.Spec.Group, Version: version.Name, Kind: external.Spec.Names.Kind}
			resources[kind] = resource
		}
	}
	return resources, nil
}

func newResource(properties *apiextensions.JSONSchemaProps) (customResource, error) {
	shape, err := structural.NewStructural(properties)
	if err != nil {
		return customResource{}, err
	}
	validator, _, err := validation.NewSchemaValidator(properties)
	if err != nil {
		return customResource{}, err
	}
	return customResource{shape, validator, cel.NewValidator(shape, true, celconfig.PerCallLimit)}, nil
}

// check returns what the API server would refuse: fields it does not know, values outside the schema, broken rules.
func (resource customResource) check(document []byte) (faults []string) {
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		return []string{err.Error()}
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil { // As the API server reads it: whole numbers stay whole.
		return []string{err.Error()}
	}
	options := structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object, resource.schema, true, options) {
		faults = append(faults, "unknown field "+path)
	}
	defaulting.Default(object, resource.schema)
	for _, err := range validation.ValidateCustomResource(nil, object, resource.validator) {
		faults = append(faults, err.Error())
	}
	broken, _ := resource.rules.Validate(context.Background(), nil, resource.schema, object, nil, celconfig.RuntimeCELCostBudget)
	for _, err := range broken {
		faults = append(faults, err.Error())
	}
	return faults
}
