package chaos

import (
	"context"
	"errors"
)

// PodStuck makes the processes of Pods stand still (SIGSTOP), as when they are
// deadlocked: they hold their connections, answer nothing and do not end. What
// helps is that their probes fail: readiness takes such a Pod out of rotation,
// liveness has it killed and started again. Healing lets go on what still stands
// still, and waits until as many Pods are Ready as before. It needs Pods whose
// processes are this machine's, as those of kubernetes: local are.
type PodStuck struct {
	Count Count `yaml:"count" default:"1" doc:"how many of the Ready Pods are stuck, drawn by the seed; or all"`
}

// Validate reports attributes that make no sense.
func (s *PodStuck) Validate(bad func(field, format string, args ...any)) { checkCount(bad, s.Count) }

func (s *PodStuck) String() string { return "pod_stuck " + s.Count.String() }

func (s *PodStuck) hit(ctx context.Context, g ground) (func(context.Context) error, error) {
	pods, err := g.Pods(ctx, g.target)
	if err != nil {
		return nil, err
	}
	chosen, err := g.draw(pods, s.Count)
	if err != nil {
		return nil, err
	}
	var resumes []func() error
	heal := func(ctx context.Context) error {
		errs := make([]error, len(resumes))
		for i, resume := range resumes {
			errs[i] = resume()
		}
		return errors.Join(append(errs, g.untilBack(ctx, len(serving(pods))))...)
	}
	for _, p := range chosen {
		resume, err := g.PausePod(ctx, p)
		if err != nil {
			return nil, errors.Join(err, g.undo(ctx, heal))
		}
		resumes = append(resumes, resume)
		g.count.Add(1)
	}
	return heal, nil
}
