package load

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestWaiters(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(context.Context) waiter{
		"best":  newWaiter,
		"timer": func(ctx context.Context) waiter { return newTimerWaiter(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w := build(ctx)
			defer w.close()
			for _, d := range []time.Duration{0, 1, time.Millisecond, 30 * time.Millisecond} {
				began := time.Now()
				if ok := w.wait(d); !ok || time.Since(began) < d {
					t.Errorf("%v after %v, want %v", ok, time.Since(began), d)
				}
			}
			began := time.Now()
			time.AfterFunc(20*time.Millisecond, cancel)
			if w.wait(time.Hour) || time.Since(began) > 10*time.Second {
				t.Errorf("a cancelled wait took %v", time.Since(began))
			}
			if w.wait(time.Nanosecond) || w.wait(time.Hour) {
				t.Error("a wait after the cancel")
			}
		})
	}
}

func TestPacer(t *testing.T) {
	t.Parallel()
	clock := evidence.NewClock()
	newOne := func(spec Spec, start, end time.Duration) *pacer {
		env := Env{Clock: clock, End: end}
		s, err := spec.Schedule(phases(end), 1)
		if err != nil {
			t.Fatal(err)
		}
		p := newPacer(t.Context(), &spec, env, clock.Now()+start, s)
		t.Cleanup(p.close)
		return p
	}
	t.Run("waits for the call's time, and asks the engine for no wait", func(t *testing.T) {
		p := newOne(Spec{Rate: holdAt(20)}, 20*time.Millisecond, time.Minute)
		for n := range uint64(3) {
			wait, stop := p.Pace(0, n)
			if now := clock.Now(); stop || wait != 0 || now < p.intended(n, 0) {
				t.Errorf("call %d at %v, intended at %v; wait %v, stop %v", n, now, p.intended(n, 0), wait, stop)
			}
		}
	})
	t.Run("waits for a slot, and no longer than the timeline", func(t *testing.T) {
		p := newOne(Spec{Rate: holdAt(1000), Workers: 1}, 0, 200*time.Millisecond)
		if _, stop := p.Pace(0, 0); stop {
			t.Fatal("no first call")
		}
		if _, stop := p.Pace(0, 1); !stop || clock.Now() < p.end {
			t.Errorf("stop %v at %v, the end is at %v", stop, clock.Now(), p.end)
		}
	})
	t.Run("a slot that comes with the end is of no use", func(t *testing.T) {
		p := newOne(Spec{Clients: 1}, 0, 100*time.Millisecond)
		if _, stop := p.Pace(0, 0); stop {
			t.Fatal("no first call")
		}
		var client sync.WaitGroup
		client.Go(func() {
			poll(func() bool { return clock.Now() >= p.end })
			if p.again(newFreeWorker(), evidence.OK, clock.Now()) {
				t.Error("a client goes on after the end")
			}
		})
		if _, stop := p.Pace(0, 1); !stop {
			t.Error("a call after the end")
		}
		client.Wait()
		if n := p.slots.taken.Load(); n != 0 {
			t.Errorf("%d slots are taken", n)
		}
	})
	t.Run("a closed model waits for the start, and stops at the end", func(t *testing.T) {
		p := newOne(Spec{Clients: 2}, 30*time.Millisecond, 100*time.Millisecond)
		if _, stop := p.Pace(0, 0); stop || clock.Now() < p.start {
			t.Errorf("stop %v at %v, the start is at %v", stop, clock.Now(), p.start)
		}
		poll(func() bool { return clock.Now() > p.end })
		if _, stop := p.Pace(0, 1); !stop {
			t.Error("a call after the end")
		}
	})
	t.Run("a closed client that was refused pauses", func(t *testing.T) {
		p := newOne(Spec{Clients: 1}, 0, time.Minute)
		for class, least := range map[evidence.Class]time.Duration{evidence.OK: 0, evidence.Refused: refusedPause} {
			p.slots.take(t.Context(), 0)
			began := time.Now()
			if p.release(class); time.Since(began) < least || p.slots.taken.Load() > 0 {
				t.Errorf("%v: slot given back after %v", class, time.Since(began))
			}
		}
	})
}

// TestWorkersStayWithThePacer: the engine is asked for as many workers as there are
// calls in flight at a time, and each makes calls until there are no more. No call
// is lost on the way from one worker to the next.
func TestWorkersStayWithThePacer(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 4, 32} {
		t.Run(strconv.Itoa(workers), func(t *testing.T) {
			t.Parallel()
			const calls = 20000
			clock := evidence.NewClock()
			spec := Spec{Rate: holdAt(calls), Workers: workers}
			whole := schedule(t, spec, phases(time.Second), 1)
			// All of them are due already.
			p := newPacer(t.Context(), &spec, Env{Clock: clock, End: time.Hour}, clock.Now()-time.Minute, whole)
			defer p.close()
			asked, made := 0, make([]atomic.Int32, calls)
			var engine sync.WaitGroup
			for {
				if _, stop := p.Pace(0, 0); stop {
					break
				}
				asked++
				engine.Go(func() {
					worker := newFreeWorker()
					for more := true; more; more = p.again(worker, evidence.OK, clock.Now()) {
						made[p.next()].Add(1)
					}
				})
			}
			engine.Wait()
			for n := range made {
				if made[n].Load() != 1 {
					t.Fatalf("call %d is made %d times", n, made[n].Load())
				}
			}
			if asked > workers || p.slots.taken.Load() != 0 {
				t.Errorf("%d workers were asked for, want at most %d; %d slots are taken", asked, workers, p.slots.taken.Load())
			}
		})
	}
}

// TestFreeWorkersEnd: those that wait for a call, and those that come later, are
// told that there is none.
func TestFreeWorkersEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	spec := Spec{Rate: holdAt(1), Workers: 3}
	clock := evidence.NewClock()
	p := newPacer(ctx, &spec, Env{Clock: clock, End: time.Hour}, clock.Now(), schedule(t, spec, phases(time.Hour), 1))
	defer p.close()
	more := make(chan bool, 3)
	for range 2 {
		p.slots.take(ctx, 0)
		go func() { more <- p.again(newFreeWorker(), evidence.OK, clock.Now()) }()
	}
	poll(func() bool { return p.slots.taken.Load() == 0 })
	cancel()
	if _, stop := p.Pace(0, 0); !stop {
		t.Fatal("a call after the end")
	}
	go func() { more <- p.again(newFreeWorker(), evidence.OK, clock.Now()) }()
	for range 3 {
		if <-more {
			t.Error("there is another call")
		}
	}
}

// countingWaiter counts the wake-ups that a pacer asks for.
type countingWaiter struct {
	waiter
	waits   int
	longest time.Duration
}

func (w *countingWaiter) wait(d time.Duration) bool {
	w.waits++
	w.longest = max(w.longest, d)
	return w.waiter.wait(d)
}

// TestCallsOfATickGoTogether: at a high rate one wake-up serves all calls that
// are due by then; at a low one no call waits for another.
func TestCallsOfATickGoTogether(t *testing.T) {
	t.Parallel()
	clock := evidence.NewClock()
	const length = 200 * time.Millisecond
	run := func(rate float64, each func(at, before time.Duration, w *countingWaiter)) (calls, waits int) {
		spec := Spec{Rate: holdAt(rate), Workers: 100000}
		p := newPacer(t.Context(), &spec, Env{Clock: clock, End: time.Hour}, clock.Now(), schedule(t, spec, phases(length), 1))
		defer p.close()
		w := &countingWaiter{waiter: p.waiter}
		p.waiter = w
		for n := uint64(0); ; n++ {
			before := clock.Now()
			w.longest = 0
			if _, stop := p.Pace(0, n); stop {
				return int(n), w.waits
			}
			each(p.intended(n, 0), before, w)
		}
	}
	calls, waits := run(50000, func(at, _ time.Duration, _ *countingWaiter) {
		if now := clock.Now(); now < at {
			t.Fatalf("a call due at %v is let go at %v", at, now)
		}
	})
	if most := int(length/tick) + burst + 1; calls != 10000 || waits > most {
		t.Errorf("%d calls took %d wake-ups, want at most %d", calls, waits, most)
	}
	calls, _ = run(500, func(at, before time.Duration, w *countingWaiter) {
		if w.longest > max(at-before, 0) {
			t.Errorf("a call that is due in %v waits for %v", at-before, w.longest)
		}
	})
	if calls != 100 {
		t.Errorf("%d calls", calls)
	}
}

// TestSlotsAreNotLost: one goroutine takes slots, many give them back, and a
// wait for one ends as soon as there is one.
func TestSlotsAreNotLost(t *testing.T) {
	t.Parallel()
	s := newSlots(3)
	var workers sync.WaitGroup
	var inFlight, most atomic.Int64
	for range 20000 {
		if !s.take(t.Context(), time.Minute) {
			t.Fatal("no slot within a minute: a wake-up is lost")
		}
		n := inFlight.Add(1)
		most.Store(max(most.Load(), n))
		workers.Go(func() {
			inFlight.Add(-1)
			s.give()
		})
	}
	workers.Wait()
	if n := s.taken.Load(); n != 0 || most.Load() > 3 {
		t.Errorf("%d slots are taken at the end, %d of 3 at most", n, most.Load())
	}
	for range 3 {
		s.take(t.Context(), 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.take(t.Context(), time.Millisecond) || s.take(ctx, time.Hour) {
		t.Error("a fourth slot of three")
	}
}
