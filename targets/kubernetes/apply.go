package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// manager is the name under which fields of objects are Ordeal's.
const manager = "ordeal"

// applier applies objects, and deletes those that were not there before.
type applier struct {
	objects   dynamic.Interface
	kinds     discovery.DiscoveryInterface
	namespace string // of objects that say none

	mapper meta.RESTMapper
	made   []made // in the order in which they were
}

// made is an object that was not there before it was applied.
type made struct {
	what string
	at   dynamic.ResourceInterface
	name string
}

// apply applies objects in order on the server's side, which refuses fields that
// it does not know.
func (a *applier) apply(ctx context.Context, objects []*Manifest) error {
	groups, err := restmapper.GetAPIGroupResources(a.kinds)
	if err != nil {
		return fmt.Errorf("ask the API server what kinds it knows: %w", err)
	}
	a.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	for _, o := range inOrder(objects) {
		if err := a.one(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// one applies one object.
func (a *applier) one(ctx context.Context, o *Manifest) error {
	what := o.GetKind() + " " + o.GetName()
	at, err := a.place(o)
	if err != nil {
		return fmt.Errorf("apply %s: %w", what, err)
	}
	_, err = at.Get(ctx, o.GetName(), metav1.GetOptions{})
	fresh := apierrors.IsNotFound(err)
	if err != nil && !fresh {
		return fmt.Errorf("look whether %s is there: %w", what, err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	force := true
	_, err = at.Patch(ctx, o.GetName(), types.ApplyPatchType, text, metav1.PatchOptions{
		FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationStrict,
	})
	if err != nil {
		return fmt.Errorf("apply %s: %w", what, err)
	}
	if fresh {
		a.made = append(a.made, made{what, at, o.GetName()})
	}
	return nil
}

// place is where objects of a kind are, in a namespace where they have one.
func (a *applier) place(o *Manifest) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("the cluster has no kind %s of %s: %w", kind.Kind, kind.GroupVersion(), err)
	}
	resource := a.objects.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return resource, nil
	}
	namespace := o.GetNamespace()
	if namespace == "" {
		namespace = a.namespace
	}
	return resource.Namespace(namespace), nil
}

// delete deletes what was made, the last first, and waits for nothing: a
// namespace takes its time.
func (a *applier) delete(ctx context.Context) error {
	var errs []error
	after := metav1.DeletePropagationBackground
	for _, m := range slices.Backward(a.made) {
		err := m.at.Delete(ctx, m.name, metav1.DeleteOptions{PropagationPolicy: &after})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("delete %s: %w", m.what, err))
		}
	}
	a.made = nil
	return errors.Join(errs...)
}
