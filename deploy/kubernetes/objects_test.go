package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// objects are what an overlay holds, by kind.
type objects struct {
	all         []metav1.Object
	deployments []*appsv1.Deployment
	services    []*corev1.Service
	autoscalers []*autoscalingv2.HorizontalPodAutoscaler
	budgets     []*policyv1.PodDisruptionBudget
	policies    []*networkingv1.NetworkPolicy
	configs     map[string]*corev1.ConfigMap
	secrets     map[string]*corev1.Secret
	accounts    map[string]*corev1.ServiceAccount
	foreign     []*unstructured.Unstructured // of kinds that Kubernetes itself does not have
}

// decode reads YAML documents strictly: a field that a kind does not have is an error.
func decode(text []byte) (*objects, error) {
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	o := &objects{configs: map[string]*corev1.ConfigMap{}, secrets: map[string]*corev1.Secret{}, accounts: map[string]*corev1.ServiceAccount{}}
	documents := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	defer func() { _ = documents.Close() }()
	buffer := make([]byte, len(text)+1)
	for {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		object, _, err := strict.Decode(buffer[:n], nil, nil)
		if runtime.IsNotRegisteredError(err) {
			unknown := &unstructured.Unstructured{}
			err = yaml.Unmarshal(buffer[:n], &unknown.Object)
			object = unknown
		}
		if err != nil {
			return nil, err
		}
		o.add(object)
	}
}

func (o *objects) add(object runtime.Object) {
	switch x := object.(type) {
	case *appsv1.Deployment:
		o.deployments = append(o.deployments, x)
	case *corev1.Service:
		o.services = append(o.services, x)
	case *autoscalingv2.HorizontalPodAutoscaler:
		o.autoscalers = append(o.autoscalers, x)
	case *policyv1.PodDisruptionBudget:
		o.budgets = append(o.budgets, x)
	case *networkingv1.NetworkPolicy:
		o.policies = append(o.policies, x)
	case *corev1.ConfigMap:
		o.configs[x.Name] = x
	case *corev1.Secret:
		o.secrets[x.Name] = x
	case *corev1.ServiceAccount:
		o.accounts[x.Name] = x
	case *unstructured.Unstructured:
		o.foreign = append(o.foreign, x)
	}
	if meta, ok := object.(metav1.Object); ok {
		o.all = append(o.all, meta)
	}
}

// deployment returns one by its name, nil without it.
func (o *objects) deployment(name string) *appsv1.Deployment {
	for _, d := range o.deployments {
		if d.Name == name {
			return d
		}
	}
	return nil
}

func (o *objects) service(name string) *corev1.Service {
	for _, s := range o.services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func build(t *testing.T, overlay string) *objects {
	t.Helper()
	text, err := Build(overlay)
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(text)
	if err != nil {
		t.Fatalf("%s: %v", overlay, err)
	}
	return o
}
