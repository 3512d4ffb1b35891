package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ordeal/chaos"
	"ordeal/runner/change"
	"ordeal/runner/evidence"
	"ordeal/scenarios"
)

// healWithin bounds the healing of one fault; a kill whose restart comes late
// needs some of it.
const healWithin = time.Minute

// changeWithin bounds the making of one change.
const changeWithin = 15 * time.Second

// timeline goes through the phases: it makes changes and injects faults where a
// phase begins, and heals the faults where it ends.
type timeline struct {
	plan    *scenarios.Plan
	env     chaos.Env
	cluster change.Cluster // that changes are made to; nil where there is none
	clock   evidence.Clock
	start   time.Duration // offset of the timeline's start
	out     evidence.Sink
	edge    func()      // called at every edge of a phase
	abort   func(error) // ends the run

	mu    sync.Mutex
	phase string
	acts  []string // faults that act now
}

type activeFault struct {
	phase     string
	spec      *chaos.Spec
	name      string
	injection chaos.Injection
}

// run returns when the timeline is over, ctx ends, a change could not be made, or
// a fault could not be injected or healed. Whatever happens, a panic included, every fault that was
// injected is healed before it returns.
func (t *timeline) run(ctx context.Context) (err error) {
	var active []activeFault
	var healing chan error // of the phase before: phases are on time, however long a heal takes
	defer func() {
		if healing != nil {
			// A heal that failed is why the timeline was aborted: told once.
			if failed := <-healing; failed != nil && !errors.Is(err, failed) {
				err = errors.Join(err, failed)
			}
		}
		err = errors.Join(err, t.heal(ctx, active))
	}()
	for _, phase := range t.plan.Phases {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.enter(phase.Name)
		if err := t.change(ctx, phase); err != nil {
			return err
		}
		if len(phase.Faults) > 0 && healing != nil {
			err := <-healing
			if healing = nil; err != nil {
				return err
			}
		}
		for _, spec := range phase.Faults {
			if ctx.Err() != nil {
				break // nothing is broken any more in a run that ends
			}
			a, err := t.inject(ctx, phase.Name, spec)
			if err != nil {
				return err
			}
			active = append(active, a)
		}
		cut := !t.wait(ctx, t.start+phase.Start+phase.For)
		t.leave(phase.Name, cut)
		if cut {
			return context.Cause(ctx)
		}
		if len(active) > 0 {
			healing = t.healBeside(ctx, active)
			active = nil
		}
	}
	return nil
}

// healBeside heals while the timeline goes on; a heal that fails ends the run.
func (t *timeline) healBeside(ctx context.Context, active []activeFault) chan error {
	done := make(chan error, 1)
	go func() {
		err := t.heal(ctx, active)
		if err != nil {
			t.abort(err)
		}
		done <- err
	}()
	return done
}

func (t *timeline) enter(phase string) {
	t.mu.Lock()
	t.phase = phase
	t.mu.Unlock()
	t.event(evidence.Event{Kind: evidence.PhaseStart, Phase: phase})
	t.edge()
}

func (t *timeline) leave(phase string, cut bool) {
	e := evidence.Event{Kind: evidence.PhaseEnd, Phase: phase}
	if cut {
		e.Text = "cut short"
	}
	t.event(e)
	t.edge()
}

// wait waits until the offset; false says that ctx ended first.
func (t *timeline) wait(ctx context.Context, until time.Duration) bool {
	timer := time.NewTimer(until - t.clock.Now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// change makes the changes of a phase, in their order.
func (t *timeline) change(ctx context.Context, phase scenarios.Phase) error {
	for _, spec := range phase.Changes {
		making, cancel := context.WithTimeout(ctx, changeWithin)
		e := evidence.Event{Kind: evidence.Changed, Phase: phase.Name, At: t.clock.Now(), Text: spec.String()} // from here on it may show
		err := spec.Make(making, t.cluster)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			t.event(evidence.Event{Kind: evidence.Note, Phase: phase.Name, Text: err.Error()})
			return fmt.Errorf("phase %s: %w", phase.Name, err)
		}
		o := spec.Object()
		e.Object = &evidence.Object{Kind: o.Kind, Name: o.Name}
		t.out.Event(e)
	}
	return nil
}

func (t *timeline) inject(ctx context.Context, phase string, spec *chaos.Spec) (activeFault, error) {
	a := activeFault{phase: phase, spec: spec, name: spec.String()}
	fault, err := spec.Fault(t.env)
	if err == nil {
		a.injection, err = fault.Inject(ctx)
	}
	e := evidence.Event{Kind: evidence.FaultInjected, Phase: phase, Fault: a.name, Link: spec.Link, Target: spec.Target}
	if err != nil && ctx.Err() != nil {
		return a, context.Cause(ctx) // cut short, not failed
	}
	if err != nil {
		e.Kind, e.Text = evidence.FaultFailed, "inject: "+err.Error()
		t.event(e)
		return a, fmt.Errorf("inject %s in phase %s: %w", a.name, phase, err)
	}
	t.event(e)
	t.mu.Lock()
	t.acts = append(t.acts, a.name)
	t.mu.Unlock()
	return a, nil
}

// heal heals faults in the reverse of the order in which they were injected, in
// a context that outlives ctx.
func (t *timeline) heal(ctx context.Context, active []activeFault) error {
	var errs []error
	for _, a := range slices.Backward(active) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healWithin)
		err := a.injection.Heal(ctx)
		cancel()
		touched := a.injection.Touched()
		e := evidence.Event{
			Kind: evidence.FaultHealed, Phase: a.phase, Fault: a.name, Link: a.spec.Link, Target: a.spec.Target, Touched: &touched,
		}
		if err != nil {
			e.Kind, e.Text = evidence.FaultFailed, "heal: "+err.Error()
			errs = append(errs, fmt.Errorf("heal %s: %w", a.name, err))
		}
		t.event(e)
		t.mu.Lock()
		t.acts = slices.DeleteFunc(t.acts, func(name string) bool { return name == a.name })
		t.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (t *timeline) event(e evidence.Event) {
	e.At = t.clock.Now()
	t.out.Event(e)
}

// now tells the phase and the faults that act.
func (t *timeline) now() (phase string, faults []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase, slices.Clone(t.acts)
}
