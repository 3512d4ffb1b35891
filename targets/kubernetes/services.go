package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Select makes a Service select Pods by other labels: those given replace the
// values of the same keys, and the other keys stay. It gives the selector that
// was there before.
func (c *Cluster) Select(ctx context.Context, service string, selector map[string]string) (before map[string]string, err error) {
	svc, err := c.client.CoreV1().Services(c.namespace).Get(ctx, service, meta.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Service %s: %w", service, err)
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"selector": selector}})
	if err != nil {
		return nil, fmt.Errorf("write the selector of Service %s: %w", service, err)
	}
	if _, err := c.client.CoreV1().Services(c.namespace).Patch(ctx, service, types.MergePatchType, patch, meta.PatchOptions{}); err != nil {
		return nil, fmt.Errorf("change the selector of Service %s: %w", service, err)
	}
	return svc.Spec.Selector, nil
}
