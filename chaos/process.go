package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// processKind is a kind of fault that acts on the processes of a target.
type processKind interface {
	kind
	// strike starts the fault. It gives what heals it, called once.
	strike(ctx context.Context, s scene) (func(context.Context) error, error)
}

// scene is what a fault on processes acts on.
type scene struct {
	procs []Process
	count *atomic.Int64   // raised for each process that the fault acts on
	run   context.Context // of the run: when it is done, the processes are about to be ended
}

// lifetime gives a context for what a fault still does after its injection: it
// outlives ctx, but not the run. end releases it.
func (s scene) lifetime(ctx context.Context) (life context.Context, end func()) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(s.run, cancel)
	return life, func() { stop(); cancel() }
}

// excuse drops an error that came while the run was ending: nobody waits any
// more for a process that does not come up.
func (s scene) excuse(err error) error {
	if s.run.Err() != nil {
		return nil
	}
	return err
}

// processFault is a fault of any kind on processes.
type processFault struct {
	name  string
	kind  processKind
	procs []Process
	run   context.Context
}

func (f *processFault) String() string { return f.name }

// undoWithin bounds the healing of a fault whose injection was cut short.
const undoWithin = time.Minute

// Inject strikes the processes, and returns once all are struck.
func (f *processFault) Inject(ctx context.Context) (Injection, error) {
	return injectWith(ctx, func(in *struckInjection) (func(context.Context) error, error) {
		return f.kind.strike(ctx, scene{f.procs, &in.count, f.run})
	})
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
