package load

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// TestGRPCCallLetGoInAdvance: a call of a closed model that no worker has taken
// yet does not count as issued, and one whose turn never comes is not taken off
// the count, which must not fall. Both are waited for at the end of the run.
func TestGRPCCallLetGoInAdvance(t *testing.T) {
	spec := unary()
	describeFromFile(t, &spec)
	spec.Clients = 1
	var issued atomic.Int64
	e, err := newGRPCEngine(&spec, Env{Addrs: []string{"127.0.0.1:1"}, Clock: evidence.NewClock(), End: time.Hour, Issued: &issued})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run := e.newRun(ctx, 0, unpaced{}, &collector{})
	defer run.pacer.close()
	newCrew(ctx, run, 1, spec.inFlight())
	run.hire(1)
	check := func(when string, wantIssued int64, wantIdle bool) {
		t.Helper()
		if issued.Load() != wantIssued || run.idle() != wantIdle {
			t.Errorf("%s: %d issued, idle %v; want %d, %v", when, issued.Load(), run.idle(), wantIssued, wantIdle)
		}
	}
	check("before the first", 0, true)
	for hits := range uint64(2) {
		if _, stop := run.pacer.Pace(0, hits); stop {
			t.Fatal("no call")
		}
	}
	check("let go", 0, false)
	first := (*run.workers.Load())[0].take(0)
	if first == nil {
		t.Fatal("no call")
	}
	first.begin()
	check("begun", 1, false)
	first.end()
	check("the second not begun", 1, false)
	cancel()
	if second := (*run.workers.Load())[0].take(1); second != nil {
		t.Error("a call after the end")
	}
	check("at the end", 1, true)
}

// TestGRPCCrewStopsGhzInTimeOnly: ghz panics when it is told to stop before it
// has begun or after it has ended.
func TestGRPCCrewStopsGhzInTimeOnly(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*crew)
		want   bool
	}{
		"not begun": {func(*crew) {}, false},
		"going on":  {func(c *crew) { c.setLive(true) }, true},
		"at its end": {func(c *crew) {
			c.setLive(true)
			go c.Finish()
			<-c.ticks
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			run := recordOf(ctx, t, &collector{}, 1)
			cut := false
			crew := newCrew(ctx, run, 1, 1)
			crew.cut = func() { cut = true }
			c.before(crew)
			cancel()
			run.pacer.slots.take(context.Background(), time.Second) // a call that does not end
			stop := crew.guard()
			if c.want {
				crew.leave()
			} else {
				late, end := outlive(ctx)
				<-late.Done()
				end()
			}
			stop()
			if cut != c.want || run.ended.Load() != c.want {
				t.Errorf("stopped %v, the run is ended %v, want %v", cut, run.ended.Load(), c.want)
			}
		})
	}
}
