package kubernetes

import (
	"context"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// RotationGate is the type of the readiness gate by which a run takes Pods out of
// rotation. Nobody but the run knows it, so it is the run that lets Pods with the
// gate become ready in the first place.
const RotationGate core.PodConditionType = "ordeal/in-rotation"

// rotationTries is how often the API server is asked to put one Pod into rotation
// before the next news of the Pod.
const rotationTries = 5

// rotate puts every Pod that has the gate into rotation as it comes, and leaves
// those alone whose gate says anything already. It is called before the watches
// start, and goes on as long as they do.
func (c *Cluster) rotate(ctx context.Context) error {
	see := func(object any) {
		if pod, ok := object.(*core.Pod); ok && waitsForRotation(pod) {
			c.putIntoRotation(ctx, pod)
		}
	}
	_, err := c.informers.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: see, UpdateFunc: func(_, now any) { see(now) },
	})
	return err
}

// waitsForRotation reports whether a Pod has the gate and nobody has said yet
// whether it is open.
func waitsForRotation(pod *core.Pod) bool {
	return pod.DeletionTimestamp == nil &&
		slices.ContainsFunc(pod.Spec.ReadinessGates, func(g core.PodReadinessGate) bool { return g.ConditionType == RotationGate }) &&
		!slices.ContainsFunc(pod.Status.Conditions, func(c core.PodCondition) bool { return c.Type == RotationGate })
}

// putIntoRotation opens the gate of a Pod. One that cannot be opened stays shut,
// which the Pod's condition Ready shows.
func (c *Cluster) putIntoRotation(ctx context.Context, pod *core.Pod) {
	for range rotationTries {
		if c.SetCondition(ctx, pod.Name, RotationGate, core.ConditionTrue, "PutIn") == nil {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}
