package main

import (
	"context"
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// strategies are what the API server itself does with a new object of each kind. A kind that is in neither this table
// nor the custom resources is a fault, so that nothing passes unseen.
var strategies = map[schema.GroupKind]rest.RESTCreateStrategy{
	{Kind: "ConfigMap"}:                 configmap.Strategy,
	{Kind: "PersistentVolumeClaim"}:     persistentvolumeclaim.Strategy,
	{Kind: "Pod"}:                       pod.Strategy,
	{Kind: "Secret"}:                    secret.Strategy,
	{Kind: "Service"}:                   service.Strategy,
	{Kind: "ServiceAccount"}:            serviceaccount.Strategy,
	{Group: "apps", Kind: "Deployment"}: deployment.Strategy,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: horizontalpodautoscaler.Strategy,
	{Group: "networking.k8s.io", Kind: "Ingress"}:           ingress.Strategy,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:     networkpolicy.Strategy,
	{Group: "policy", Kind: "PodDisruptionBudget"}:          poddisruptionbudget.Strategy,
}

// strictOnly are kinds whose Go types are at hand, but not their schema.
var strictOnly = map[schema.GroupKind]bool{{Group: "monitoring.coreos.com", Kind: "ServiceMonitor"}: true}

var (
	strict    = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	evaluator = newEvaluator()
)

func init() {
	utilruntime.Must(gateway.Install(legacyscheme.Scheme))
	utilruntime.Must(monitoring.AddToScheme(legacyscheme.Scheme))
}

func newEvaluator() policy.Evaluator {
	result, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	utilruntime.Must(err)
	return result
}

// validate returns what is wrong with one document.
func validate(document []byte, resources customResources) []string {
	object, kind, err := strict.Decode(document, nil, nil)
	if err != nil {
		return []string{fmt.Sprintf("not decoded: %v", err)}
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", kind.Kind, err)}
	}
	faults := append(checkPodSecurity(object), check(object, document, *kind, resources)...)
	for index, fault := range faults {
		faults[index] = fmt.Sprintf("%s %s: %s", kind.Kind, accessor.GetName(), fault)
	}
	return faults
}

func check(object runtime.Object, document []byte, kind schema.GroupVersionKind, resources customResources) []string {
	if strategy, found := strategies[kind.GroupKind()]; found {
		return checkCreation(object, kind, strategy)
	}
	if resource, found := resources[kind]; found {
		return resource.check(document)
	}
	if strictOnly[kind.GroupKind()] {
		return nil
	}
	return []string{"a kind for which this program has no check: add one"}
}

// checkCreation does what the API server does with a POST, up to the point at which it would be stored.
func checkCreation(object runtime.Object, kind schema.GroupVersionKind, strategy rest.RESTCreateStrategy) []string {
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, schema.GroupVersion{Group: kind.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return []string{err.Error()}
	}
	accessor, err := meta.Accessor(internal)
	if err != nil {
		return []string{err.Error()}
	}
	rest.FillObjectMetaSystemFields(accessor)
	ctx := request.WithNamespace(context.Background(), accessor.GetNamespace())
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version})
	warnings := strategy.WarningsOnCreate(ctx, internal)
	if err := rest.BeforeCreate(strategy, ctx, internal); err != nil {
		return append(warnings, err.Error())
	}
	return warnings
}

// checkPodSecurity holds a pod, or a Deployment's, to the restricted Pod Security Standard.
func checkPodSecurity(object runtime.Object) (faults []string) {
	var metadata *metav1.ObjectMeta
	var spec *core.PodSpec
	switch typed := object.(type) {
	case *core.Pod:
		metadata, spec = &typed.ObjectMeta, &typed.Spec
	case *apps.Deployment:
		metadata, spec = &typed.Spec.Template.ObjectMeta, &typed.Spec.Template.Spec
	default:
		return nil
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, metadata, spec) {
		if !result.Allowed {
			faults = append(faults, fmt.Sprintf("not restricted: %s (%s)", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return faults
}
