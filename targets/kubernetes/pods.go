package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// Pods gives the Pods that the Service selects now, those that are not ready or
// are being deleted too, by name. They are copies of what was last seen.
func (c *Cluster) Pods(service string) ([]*core.Pod, error) {
	svc, err := c.informers.Core().V1().Services().Lister().Services(c.namespace).Get(service)
	if err != nil {
		return nil, fmt.Errorf("find the Pods of Service %s: %w", service, err)
	}
	if len(svc.Spec.Selector) == 0 {
		return nil, nil // a Service without a selector has no Pods of its own
	}
	return c.podsBy(labels.SelectorFromSet(svc.Spec.Selector))
}

// podsBy gives the Pods that a selector matches, by name.
func (c *Cluster) podsBy(s labels.Selector) ([]*core.Pod, error) {
	found, err := c.informers.Core().V1().Pods().Lister().Pods(c.namespace).List(s)
	if err != nil {
		return nil, err
	}
	pods := make([]*core.Pod, len(found))
	for i, pod := range found {
		pods[i] = pod.DeepCopy()
	}
	slices.SortFunc(pods, func(a, b *core.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods, nil
}

// Ready reports whether a Pod takes calls: its condition Ready is true and it is
// not being deleted.
func Ready(pod *core.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c core.PodCondition) bool {
		return c.Type == core.PodReady && c.Status == core.ConditionTrue
	})
}

// DeletePod asks for the end of a Pod. Its processes have grace seconds to end
// after SIGTERM, 0 kills them at once; nil is what the Pod itself says.
func (c *Cluster) DeletePod(ctx context.Context, pod string, grace *int64) error {
	if err := c.client.CoreV1().Pods(c.namespace).Delete(ctx, pod, meta.DeleteOptions{GracePeriodSeconds: grace}); err != nil {
		return fmt.Errorf("delete Pod %s: %w", pod, err)
	}
	return nil
}

// EvictPod asks for the end of a Pod by way of its disruption budget. Where the
// budget does not allow it now, apierrors.IsTooManyRequests holds for the error:
// ask again later.
func (c *Cluster) EvictPod(ctx context.Context, pod string) error {
	eviction := &policy.Eviction{ObjectMeta: meta.ObjectMeta{Name: pod, Namespace: c.namespace}}
	if err := c.client.PolicyV1().Evictions(c.namespace).Evict(ctx, eviction); err != nil {
		return fmt.Errorf("evict Pod %s: %w", pod, err)
	}
	return nil
}

// SetCondition sets a condition of a Pod's status, such as that of a readiness
// gate.
func (c *Cluster) SetCondition(ctx context.Context, pod string, condition core.PodConditionType, status core.ConditionStatus, reason string) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []core.PodCondition{
		{Type: condition, Status: status, Reason: reason, LastTransitionTime: meta.Now()},
	}}})
	if err != nil {
		return fmt.Errorf("write condition %s: %w", condition, err)
	}
	// Conditions are merged by their type.
	_, err = c.client.CoreV1().Pods(c.namespace).Patch(ctx, pod, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
	if err != nil {
		return fmt.Errorf("set condition %s of Pod %s: %w", condition, pod, err)
	}
	return nil
}
