package chaos

import (
	"context"
	"fmt"
)

// Restart is a graceful rolling restart: one replica after the other is asked
// to end (SIGTERM), waited for, started again and waited for until ready.
// Healing waits for the last, also where the phase was too short for all.
type Restart struct {
	Replica int `yaml:"replica" doc:"the one replica that is restarted, counted from 1; all in turn unless given"`
}

// Validate reports attributes that make no sense.
func (r *Restart) Validate(bad func(field, format string, args ...any)) {
	checkReplica(bad, r.Replica)
}

func (r *Restart) String() string { return "restart" + numbered(r.Replica) }

func (r *Restart) replica() int { return r.Replica }

func (r *Restart) strike(ctx context.Context, s scene) (func(context.Context) error, error) {
	life, end := s.lifetime(ctx) // it goes on after the injection
	done := make(chan error, 1)
	go func() { done <- s.excuse(s.roll(life)) }()
	return func(ctx context.Context) error {
		defer end()
		defer context.AfterFunc(ctx, end)()
		return <-done
	}, nil
}

// roll restarts one process after the other. It stops at the first that fails,
// so that a restart that goes wrong does not take down every replica.
func (s scene) roll(ctx context.Context) error {
	for i, p := range s.procs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d processes were restarted in time: %w", i, len(s.procs), err)
		}
		s.count.Add(1)
		if err := p.Terminate(ctx); err != nil {
			return fmt.Errorf("terminate %s: %w", p.Name(), err)
		}
		if err := p.Start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", p.Name(), err)
		}
	}
	return nil
}
