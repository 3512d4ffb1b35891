package kubernetes

import (
	"context"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
)

// Nodes gives the names of the nodes, sorted.
func (c *Cluster) Nodes(ctx context.Context) ([]string, error) {
	list, err := c.client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}
	var names []string
	for _, node := range list.Items {
		names = append(names, node.Name)
	}
	slices.Sort(names)
	return names, nil
}

// cpuLimitsAnnotation of a node of a local control plane says whether limits of
// CPU hold there, which is the same for all of them.
const cpuLimitsAnnotation = "localkube.ordeal/cpu-limits"

// readCPULimits finds what the nodes say of that; "" where none says anything.
func (c *Cluster) readCPULimits(ctx context.Context) (string, error) {
	list, err := c.client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return "", fmt.Errorf("ask the nodes whether limits of CPU hold: %w", err)
	}
	for _, node := range list.Items {
		if said := node.Annotations[cpuLimitsAnnotation]; said != "" {
			return said, nil
		}
	}
	return "", nil
}

// SetCordoned says whether new Pods are kept off a node.
func (c *Cluster) SetCordoned(ctx context.Context, node string, cordoned bool) error {
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, cordoned)
	if _, err := c.client.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, patch, meta.PatchOptions{}); err != nil {
		return fmt.Errorf("set whether node %s takes Pods to %t: %w", node, !cordoned, err)
	}
	return nil
}

// PodsOn gives the run's Pods on a node that are not being deleted and have not
// ended, as the API server says now.
func (c *Cluster) PodsOn(ctx context.Context, node string) ([]core.Pod, error) {
	list, err := c.client.CoreV1().Pods(c.namespace).List(ctx, meta.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("list the Pods on node %s: %w", node, err)
	}
	return slices.DeleteFunc(list.Items, func(pod core.Pod) bool {
		return pod.Spec.NodeName != node || pod.DeletionTimestamp != nil ||
			pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	}), nil
}
