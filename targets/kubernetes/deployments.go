package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Template is a change to the Pods that a Deployment makes. What is not set
// stays as it is.
type Template struct {
	Container   string            // that Env, Command and Args speak of; the first one for ""
	Env         map[string]string // variables to be set
	Command     []string
	Args        []string
	Image       string
	Annotations map[string]string // of the Pods
	Labels      map[string]string // of the Pods
}

// Rollout changes the template of a Deployment, which then replaces its Pods. It
// does not wait for that: see AwaitRollout.
func (c *Cluster) Rollout(ctx context.Context, deployment string, change Template) error {
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return err
	}
	container, err := change.container(d)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": orEmpty(change.Annotations), "labels": orEmpty(change.Labels)},
		"spec":     map[string]any{"containers": []any{container}},
	}}})
	if err != nil {
		return fmt.Errorf("write the change of Deployment %s: %w", deployment, err)
	}
	return c.patchDeployment(ctx, deployment, types.StrategicMergePatchType, patch)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// container is the part of a patch that changes one container.
func (t *Template) container(d *apps.Deployment) (map[string]any, error) {
	containers := d.Spec.Template.Spec.Containers
	name := cmp.Or(t.Container, containers[0].Name) // the API takes no Pod without one
	if !slices.ContainsFunc(containers, func(c core.Container) bool { return c.Name == name }) {
		return nil, fmt.Errorf("the Pods of Deployment %s have no container %s", d.Name, name)
	}
	part := map[string]any{"name": name}
	if len(t.Env) > 0 {
		var env []any
		for _, key := range slices.Sorted(maps.Keys(t.Env)) {
			env = append(env, map[string]any{"name": key, "value": t.Env[key], "valueFrom": nil})
		}
		part["env"] = env
	}
	if t.Command != nil {
		part["command"] = t.Command
	}
	if t.Args != nil {
		part["args"] = t.Args
	}
	if t.Image != "" {
		part["image"] = t.Image
	}
	return part, nil
}

func (c *Cluster) deployment(ctx context.Context, name string) (*apps.Deployment, error) {
	d, err := c.client.AppsV1().Deployments(c.namespace).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Deployment %s: %w", name, err)
	}
	return d, nil
}

func (c *Cluster) patchDeployment(ctx context.Context, name string, kind types.PatchType, patch []byte) error {
	if _, err := c.client.AppsV1().Deployments(c.namespace).Patch(ctx, name, kind, patch, meta.PatchOptions{}); err != nil {
		return fmt.Errorf("change Deployment %s: %w", name, err)
	}
	return nil
}

// Undo gives a Deployment the template that it had before the present one, as
// kubectl rollout undo does. It does not wait for the Pods: see AwaitRollout.
func (c *Cluster) Undo(ctx context.Context, deployment string) error {
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return err
	}
	before, err := c.templateBefore(ctx, d)
	if err != nil {
		return err
	}
	delete(before.Labels, apps.DefaultDeploymentUniqueLabelKey)
	patch, err := json.Marshal([]any{map[string]any{"op": "replace", "path": "/spec/template", "value": before}})
	if err != nil {
		return fmt.Errorf("write the earlier template of Deployment %s: %w", deployment, err)
	}
	return c.patchDeployment(ctx, deployment, types.JSONPatchType, patch)
}

// templateBefore is the template of the ReplicaSet with the second highest
// revision.
func (c *Cluster) templateBefore(ctx context.Context, d *apps.Deployment) (*core.PodTemplateSpec, error) {
	list, err := c.client.AppsV1().ReplicaSets(c.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the ReplicaSets of Deployment %s: %w", d.Name, err)
	}
	own := slices.DeleteFunc(list.Items, func(rs apps.ReplicaSet) bool { return !meta.IsControlledBy(&rs, d) })
	if len(own) < 2 {
		return nil, fmt.Errorf("Deployment %s has no earlier revision to go back to", d.Name) //nolint:staticcheck // a kind has its capital
	}
	slices.SortFunc(own, func(a, b apps.ReplicaSet) int { return cmp.Compare(revision(&b), revision(&a)) })
	return &own[1].Spec.Template, nil
}

// revision is the number that the Deployment controller gave a ReplicaSet.
func revision(rs *apps.ReplicaSet) int64 {
	n, _ := strconv.ParseInt(rs.Annotations["deployment.kubernetes.io/revision"], 10, 64) // 0 where it has none yet
	return n
}

// RolledOut reports whether every Pod that a Deployment wants is of its present
// template and available, and no other is left.
func RolledOut(d *apps.Deployment) bool {
	want, s := wanted(d), d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == want && s.Replicas == want && s.AvailableReplicas == want
}
