package kubernetes

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
)

// lookEvery is how often a wait looks at what the watches have seen.
const lookEvery = 20 * time.Millisecond

// Await waits until done says so, or ctx ends: then the error says what was
// waited for. done is asked about every 20 ms, and an error of it ends the wait.
func (c *Cluster) Await(ctx context.Context, what string, done func() (bool, error)) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
		}
	}
}

// AwaitPods waits until done holds for the Pods that a Service selects.
func (c *Cluster) AwaitPods(ctx context.Context, service, what string, done func([]*core.Pod) bool) error {
	return c.Await(ctx, what, func() (bool, error) {
		pods, err := c.Pods(service)
		return err == nil && done(pods), err
	})
}

// AwaitRollout waits until the Pods of a Deployment are those of its present
// template, as many as it wants, and available. It asks the API server, because
// a change made a moment ago may not have come to the watches.
func (c *Cluster) AwaitRollout(ctx context.Context, deployment string) error {
	const askEvery = 10 // looks
	looks := 0
	return c.Await(ctx, "Deployment "+deployment+" is rolled out", func() (bool, error) {
		if looks++; looks%askEvery != 1 {
			return false, nil
		}
		d, err := c.deployment(ctx, deployment)
		return err == nil && RolledOut(d), err
	})
}
