package load

import (
	"context"
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
			if w.wait(time.Nanosecond) {
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
