package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// PodUnready takes Pods of a target out of rotation, as when their readiness
// probe fails, while they go on running: the condition of their readiness gate
// ordeal/in-rotation becomes False. Healing makes it True again, and waits until
// as many Pods are Ready as before.
type PodUnready struct {
	Count Count `yaml:"count" default:"1" doc:"how many of the Ready Pods are taken out of rotation, drawn by the seed; or all"`
}

// Validate reports attributes that make no sense.
func (u *PodUnready) Validate(bad func(field, format string, args ...any)) {
	checkCount(bad, u.Count)
}

func (u *PodUnready) String() string { return "pod_unready " + u.Count.String() }

func (u *PodUnready) hit(ctx context.Context, g ground) (func(context.Context) error, error) {
	pods, err := g.Pods(ctx, g.target)
	if err != nil {
		return nil, err
	}
	chosen, err := g.draw(pods, u.Count)
	if err != nil {
		return nil, err
	}
	for _, p := range chosen {
		if !slices.Contains(p.Gates, RotationGate) {
			return nil, fmt.Errorf("pod %s cannot be made unready: it has no readiness gate; give its template readinessGates: [{conditionType: %s}]", p.Name, RotationGate)
		}
	}
	heal := func(ctx context.Context) error {
		if err := g.rotate(ctx, chosen, true); err != nil {
			return err
		}
		return g.untilBack(ctx, len(serving(pods)))
	}
	err = g.rotate(ctx, chosen, false)
	if err == nil {
		err = g.untilOut(ctx, chosen)
	}
	if err != nil {
		return nil, errors.Join(err, g.undo(ctx, heal))
	}
	g.count.Add(int64(len(chosen)))
	return heal, nil
}

// rotate puts Pods in or out of rotation, whatever becomes of one.
func (g ground) rotate(ctx context.Context, pods []Pod, in bool) error {
	errs := make([]error, len(pods))
	for i, p := range pods {
		errs[i] = g.SetPodCondition(ctx, p, RotationGate, in)
	}
	return errors.Join(errs...)
}

// untilOut waits until none of the Pods is Ready: the node has seen their gate.
func (g ground) untilOut(ctx context.Context, chosen []Pod) error {
	return g.until(ctx, fmt.Sprintf("%d Pods of %s are no longer Ready", len(chosen), g.place()), func() (bool, error) {
		now, err := g.Pods(ctx, g.target)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(serving(now), func(p Pod) bool {
			return slices.ContainsFunc(chosen, func(c Pod) bool { return c.UID == p.UID })
		}), nil
	})
}
