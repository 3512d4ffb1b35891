package chaos

import (
	"context"
	"errors"
	"time"
)

// PodKill deletes Pods of a target. What made them makes new ones; healing waits
// until as many are Ready as before.
type PodKill struct {
	Count Count         `yaml:"count" default:"1" doc:"how many of the Ready Pods are killed, drawn by the seed; or all"`
	Grace time.Duration `yaml:"grace" doc:"how long their processes get to end; 0s kills them at once"`
}

// Validate reports attributes that make no sense.
func (k *PodKill) Validate(bad func(field, format string, args ...any)) {
	checkCount(bad, k.Count)
	checkDelay(bad, "grace", k.Grace)
	if k.Grace%time.Second != 0 {
		bad("grace", "want whole seconds, not %s: Kubernetes knows no others", k.Grace)
	}
}

func (k *PodKill) String() string {
	s := "pod_kill " + k.Count.String()
	if k.Grace > 0 {
		s += ", grace " + k.Grace.String()
	}
	return s
}

func (k *PodKill) hit(ctx context.Context, g ground) (func(context.Context) error, error) {
	pods, err := g.Pods(ctx, g.target)
	if err != nil {
		return nil, err
	}
	chosen, err := g.draw(pods, k.Count)
	if err != nil {
		return nil, err
	}
	back := func(ctx context.Context) error { return g.untilBack(ctx, len(serving(pods))) }
	for _, p := range chosen {
		if err := g.DeletePod(ctx, p, k.Grace); err != nil {
			return nil, errors.Join(err, g.undo(ctx, back))
		}
		g.count.Add(1)
	}
	return back, nil
}

// undo heals after an injection that failed half way, in a time of its own.
func (g ground) undo(ctx context.Context, heal func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	return heal(ctx)
}
