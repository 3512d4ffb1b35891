package runner

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ordeal/chaos"
	"ordeal/runner/evidence"
	"ordeal/scenarios"
)

// stuckable is a process that can be paused; it can be made to fail.
type stuckable struct {
	chaos.Process
	mu                  sync.Mutex
	paused              bool
	failPause, failHeal error
}

func (*stuckable) Name() string { return "users" }

func (p *stuckable) Pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = p.failPause == nil
	return p.failPause
}

func (p *stuckable) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = p.failHeal != nil
	return p.failHeal
}

func (p *stuckable) isPaused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// journal is a sink that keeps events.
type journal struct {
	mu     sync.Mutex
	events []evidence.Event
}

func (*journal) Sample(evidence.Sample)   {}
func (*journal) Message(evidence.Message) {}
func (*journal) Point(evidence.Point)     {}
func (j *journal) Event(e evidence.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

// kinds gives the events as "kind phase", in order.
func (j *journal) kinds() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, e := range j.events {
		out = append(out, string(e.Kind)+" "+e.Phase)
	}
	return strings.Join(out, ", ")
}

// inOrder splits off the heals, which come beside the timeline: anywhere after
// the end of their phase.
func (j *journal) inOrder() (others, heals string) {
	var rest, healed []string
	for _, kind := range strings.Split(j.kinds(), ", ") {
		if strings.HasPrefix(kind, "fault-healed ") {
			healed = append(healed, kind)
		} else {
			rest = append(rest, kind)
		}
	}
	return strings.Join(rest, ", "), strings.Join(healed, ", ")
}

// newTimeline is calm, then broken by pauses of the processes, then after.
func newTimeline(cancel context.CancelCauseFunc, phase time.Duration, procs ...*stuckable) (*timeline, *journal) {
	out := &journal{}
	broken := scenarios.Phase{Name: "broken", Start: phase, For: phase}
	for i := range procs {
		broken.Faults = append(broken.Faults, &chaos.Spec{Target: string(rune('a' + i)), Pause: &chaos.Pause{}})
	}
	plan := &scenarios.Plan{Phases: []scenarios.Phase{{Name: "calm", For: phase}, broken, {Name: "after", Start: 2 * phase, For: phase}}}
	return &timeline{
		plan: plan, clock: evidence.NewClock(), out: out, edge: func() {}, abort: cancel,
		env: chaos.Env{Processes: func(target string) []chaos.Process { return []chaos.Process{procs[target[0]-'a']} }},
	}, out
}

func TestTimelineInjectsAndHealsAtTheEdgesOfAPhase(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p := &stuckable{}
	line, out := newTimeline(cancel, 20*time.Millisecond, p)
	if err := line.run(ctx); err != nil {
		t.Fatal(err)
	}
	want := "phase-start calm, phase-end calm, phase-start broken, fault-injected broken, phase-end broken"
	got, heals := out.inOrder()
	if got != want+", phase-start after, phase-end after" || heals != "fault-healed broken" || !strings.HasPrefix(out.kinds(), want) {
		t.Errorf("events: %s", out.kinds())
	}
	if p.isPaused() {
		t.Error("the process is still paused")
	}
}

func TestTimelineHealsWhenCut(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	p := &stuckable{}
	line, out := newTimeline(cancel, time.Millisecond, p)
	line.plan.Phases[1].For = time.Hour
	line.edge = func() {
		if phase, faults := line.now(); phase == "broken" && len(faults) == 0 {
			go func() {
				for !strings.Contains(out.kinds(), "fault-injected") {
					time.Sleep(time.Millisecond)
				}
				cancel(ErrInterrupted)
			}()
		}
	}
	err := line.run(ctx)
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("got %v, want ErrInterrupted", err)
	}
	if p.isPaused() || !strings.Contains(out.kinds(), "fault-healed broken") {
		t.Errorf("paused=%v after: %s", p.isPaused(), out.kinds())
	}
	if strings.Contains(out.kinds(), "after") {
		t.Errorf("the timeline went on: %s", out.kinds())
	}
}

func TestTimelineHealsWhatWasInjectedWhenTheNextInjectFails(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	first, second := &stuckable{}, &stuckable{failPause: errors.New("no such process")}
	line, out := newTimeline(cancel, time.Millisecond, first, second)
	err := line.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "no such process") || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v, want the reason and the phase", err)
	}
	if first.isPaused() || !strings.Contains(out.kinds(), "fault-failed broken, fault-healed broken") {
		t.Errorf("paused=%v after: %s", first.isPaused(), out.kinds())
	}
}

func TestTimelineEndsLoudlyWhenAHealFails(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	p := &stuckable{failHeal: errors.New("it will not go on")}
	line, out := newTimeline(cancel, time.Millisecond, p)
	line.plan.Phases[2].For = time.Hour // ended by the failed heal, not by time
	err := line.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "it will not go on") {
		t.Errorf("got %v, want the heal's error", err)
	}
	if !strings.Contains(out.kinds(), "fault-failed broken") {
		t.Errorf("events: %s", out.kinds())
	}
}

func TestTimelineHealsOnPanic(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p := &stuckable{}
	line, _ := newTimeline(cancel, time.Millisecond, p)
	edges := 0
	line.edge = func() {
		if edges++; edges == 4 { // the end of broken
			panic("at the edge")
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = line.run(ctx) // it panics
	}()
	if p.isPaused() {
		t.Error("the process is still paused after a panic")
	}
}

func TestTimelineBreaksNothingInARunThatEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	p := &stuckable{}
	line, out := newTimeline(cancel, time.Millisecond, p)
	line.plan.Phases = line.plan.Phases[1:] // the fault comes first
	line.edge = func() { cancel(ErrInterrupted) }
	if err := line.run(ctx); !errors.Is(err, ErrInterrupted) {
		t.Errorf("got %v, want ErrInterrupted", err)
	}
	if got := out.kinds(); strings.Contains(got, "fault") {
		t.Errorf("a fault was tried: %s", got)
	}
	out.events = nil
	if err := line.run(ctx); !errors.Is(err, ErrInterrupted) || len(out.events) > 0 {
		t.Errorf("a timeline that starts after the end: %v, %s", err, out.kinds())
	}
}
