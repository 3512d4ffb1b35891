package kubernetes

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// restartedAt is the annotation by which kubectl rollout restart makes templates
// differ.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// Restart lets a Deployment replace its Pods by others of the same template. It
// does not wait for them: see AwaitRollout.
func (c *Cluster) Restart(ctx context.Context, deployment string) error {
	return c.Rollout(ctx, deployment, Template{Annotations: map[string]string{restartedAt: time.Now().Format(time.RFC3339Nano)}})
}

// Scale says how many Pods a Deployment is to have.
func (c *Cluster) Scale(ctx context.Context, deployment string, replicas int) error {
	return c.patchDeployment(ctx, deployment, types.StrategicMergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas))
}
