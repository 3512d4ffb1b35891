package chaos

import (
	"context"
	"errors"
	"fmt"
)

// CrashLoop rolls out a template of a target's Deployment whose Pods fail to
// start, as a bad release does. What keeps the old Pods serving meanwhile is the
// Deployment's own strategy. Healing puts the template back, and waits until the
// Deployment is as it was.
type CrashLoop struct{}

// Validate has nothing to report.
func (*CrashLoop) Validate(func(field, format string, args ...any)) {}

func (*CrashLoop) String() string { return "crash_loop" }

func (*CrashLoop) hit(ctx context.Context, g ground) (func(context.Context) error, error) {
	d, err := g.Deployment(ctx, g.target)
	if err != nil {
		return nil, err
	}
	restore, err := g.BreakTemplate(ctx, d.Name)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{} // by UID: the Pods that failed
	look := func(ctx context.Context) (bool, error) {
		pods, err := g.Pods(ctx, g.target)
		for _, p := range pods {
			if p.Failing && !seen[p.UID] {
				seen[p.UID] = true
				g.count.Add(1)
			}
		}
		return len(seen) > 0, err
	}
	heal := func(ctx context.Context) error {
		_, _ = look(ctx) // for the count alone: what cannot be seen is not counted
		if err := restore(ctx); err != nil {
			return err
		}
		return g.until(ctx, "Deployment "+d.Name+" is as before", func() (bool, error) {
			now, err := g.Deployment(ctx, g.target)
			return err == nil && now.Settled, err
		})
	}
	if err := g.until(ctx, "a Pod of "+g.place()+" fails to start", func() (bool, error) { return look(ctx) }); err != nil {
		return nil, errors.Join(fmt.Errorf("break Deployment %s: %w", d.Name, err), g.undo(ctx, heal))
	}
	return heal, nil
}
