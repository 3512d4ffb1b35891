package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"ordeal/runner/evidence"
)

// processKind is a kind of fault that acts on the processes of a target.
type processKind interface {
	kind
	// strike starts the fault. It gives what heals it, called once. The count is
	// raised for each process that the fault acts on.
	strike(ctx context.Context, procs []Process, count *atomic.Int64) (func(context.Context) error, error)
}

// processFault is a fault of any kind on processes.
type processFault struct {
	name  string
	kind  processKind
	procs []Process
}

func (f *processFault) String() string { return f.name }

// Inject strikes the processes, and returns once all are struck.
func (f *processFault) Inject(ctx context.Context) (Injection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := &processInjection{}
	heal, err := f.kind.strike(ctx, f.procs, &in.count)
	if err != nil {
		return nil, err
	}
	in.heal = heal
	return in, nil
}

type processInjection struct {
	count atomic.Int64
	heal  func(context.Context) error
}

func (in *processInjection) Heal(ctx context.Context) error { return in.heal(ctx) }

// Touched counts processes as connections.
func (in *processInjection) Touched() evidence.Touched {
	return evidence.Touched{Connections: in.count.Load()}
}

// choose gives the processes that a fault acts on: the replica with a number,
// counted from 1 in the order of procs, or all if it is 0.
func choose(procs []Process, replica int) ([]Process, error) {
	switch {
	case len(procs) == 0:
		return nil, errors.New("the target has no processes of the run's own")
	case replica == 0:
		return procs, nil
	case replica > len(procs):
		return nil, fmt.Errorf("there is no replica %d, only %d", replica, len(procs))
	}
	return procs[replica-1 : replica], nil
}

// each does something with all processes at once, and names those that fail.
func each(procs []Process, what string, do func(Process) error) error {
	errs := make([]error, len(procs))
	var all sync.WaitGroup
	for i, p := range procs {
		all.Go(func() {
			if err := do(p); err != nil {
				errs[i] = fmt.Errorf("%s %s: %w", what, p.Name(), err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
