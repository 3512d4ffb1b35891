package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// ErrNoDeployment says that the Pods of a Service are not made by exactly one
// Deployment.
var ErrNoDeployment = errors.New("there is not exactly one Deployment behind the Service")

// DeploymentOf gives the Deployment whose Pods a Service selects, as the API
// server says now.
func (c *Cluster) DeploymentOf(ctx context.Context, service string) (*apps.Deployment, error) {
	svc, err := c.client.CoreV1().Services(c.namespace).Get(ctx, service, meta.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Service %s: %w", service, err)
	}
	list, err := c.client.AppsV1().Deployments(c.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the Deployments: %w", err)
	}
	selector := labels.SelectorFromSet(svc.Spec.Selector)
	found := slices.DeleteFunc(list.Items, func(d apps.Deployment) bool {
		return len(svc.Spec.Selector) == 0 || !selector.Matches(labels.Set(d.Spec.Template.Labels))
	})
	if len(found) != 1 {
		return nil, fmt.Errorf("find the Deployment of Service %s among %d: %w", service, len(list.Items), ErrNoDeployment)
	}
	return &found[0], nil
}

// AllPods gives the Pods of the run's namespace as they were last seen, by name.
func (c *Cluster) AllPods() ([]*core.Pod, error) { return c.podsBy(labels.Everything()) }

// Cordoned reports whether new Pods are kept off a node.
func (c *Cluster) Cordoned(ctx context.Context, node string) (bool, error) {
	n, err := c.client.CoreV1().Nodes().Get(ctx, node, meta.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("read node %s: %w", node, err)
	}
	return n.Spec.Unschedulable, nil
}

// nothingToRun is a program that ends at once, and not well; where there is none
// of that name the container does not start either.
const nothingToRun = "/bin/false"

// BreakTemplate changes the template of a Deployment so that none of its new Pods
// starts. restore gives it the template that it had.
func (c *Cluster) BreakTemplate(ctx context.Context, deployment string) (restore func(context.Context) error, err error) {
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return nil, err
	}
	broken := d.Spec.Template.DeepCopy()
	for i := range broken.Spec.Containers {
		one := &broken.Spec.Containers[i]
		one.Command, one.Args = []string{nothingToRun}, nil
		one.Lifecycle = nil
	}
	// On a control plane of the run's own, annotations say what containers run.
	for key := range broken.Annotations {
		if isCommand(key) {
			delete(broken.Annotations, key)
		}
	}
	if err := c.setTemplate(ctx, deployment, broken); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return c.setTemplate(ctx, deployment, &d.Spec.Template) }, nil
}

// isCommand reports whether an annotation of a Pod says what a container of it
// runs.
func isCommand(annotation string) bool {
	const prefix = "localkube.ordeal/command."
	return len(annotation) > len(prefix) && annotation[:len(prefix)] == prefix
}

// setTemplate replaces the template of a Deployment as a whole.
func (c *Cluster) setTemplate(ctx context.Context, deployment string, template *core.PodTemplateSpec) error {
	patch, err := json.Marshal([]any{map[string]any{"op": "replace", "path": "/spec/template", "value": template}})
	if err != nil {
		return fmt.Errorf("write the template of Deployment %s: %w", deployment, err)
	}
	return c.patchDeployment(ctx, deployment, types.JSONPatchType, patch)
}
