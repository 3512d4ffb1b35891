package chaos

import (
	"context"
	"fmt"
	"sync/atomic"
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

func (r *Restart) strike(ctx context.Context, procs []Process, count *atomic.Int64) (func(context.Context) error, error) {
	// It outlives the injection's context, but not the heal.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- roll(life, procs, count) }()
	return func(ctx context.Context) error {
		defer end()
		defer context.AfterFunc(ctx, end)()
		return <-done
	}, nil
}

// roll restarts one process after the other. It stops at the first that fails,
// so that a restart that goes wrong does not take down every replica.
func roll(ctx context.Context, procs []Process, count *atomic.Int64) error {
	for i, p := range procs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d processes were restarted in time: %w", i, len(procs), err)
		}
		count.Add(1)
		if err := p.Terminate(ctx); err != nil {
			return fmt.Errorf("terminate %s: %w", p.Name(), err)
		}
		if err := p.Start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", p.Name(), err)
		}
	}
	return nil
}
