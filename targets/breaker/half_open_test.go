package breaker

import (
	"testing"
	"time"
)

func TestHalfOpenOnTheFirstCallStrictlyAfterTheWait(t *testing.T) {
	b, c := make10(t, nil)
	open(t, b)
	c.advance(2 * time.Second)
	if e := wantRefused(t, b); e.State != Open || e.RetryIn() != 3*time.Second {
		t.Errorf("refusal says %v, retry in %v; want open and 3s", e.State, e.RetryIn())
	}
	c.advance(3 * time.Second)
	if e := wantRefused(t, b); e.RetryIn() != 0 {
		t.Errorf("retry in %v, want 0", e.RetryIn())
	}
	c.advance(1)
	wantState(t, b, Open) // looking does not move it
	if s := b.Snapshot().State; s != Open {
		t.Fatalf("a snapshot moved the breaker to %v", s)
	}
	acquire(t, b)
	wantState(t, b, HalfOpen)
}

// halfOpen returns a breaker that turns half-open with its next call.
func halfOpen(t *testing.T, permits int, change func(*Config)) (*Breaker, *clock) {
	b, c := make10(t, func(cfg *Config) {
		cfg.HalfOpenPermits = permits
		if change != nil {
			change(cfg)
		}
	})
	open(t, b)
	c.advance(b.cfg.OpenFor + 1)
	return b, c
}

func TestHalfOpenGivesExactlyItsPermits(t *testing.T) {
	b, _ := halfOpen(t, 3, nil)
	for range 3 {
		acquire(t, b)
	}
	for range 5 {
		if e := wantRefused(t, b); e.State != HalfOpen || e.RetryIn() != 0 {
			t.Fatalf("refusal is %+v, want half-open with no time", e)
		}
	}
}

func TestHalfOpenDoesNotRefill(t *testing.T) {
	b, _ := halfOpen(t, 3, nil)
	p1, p2 := acquire(t, b), acquire(t, b)
	p1.Success()
	p2.Success()
	p3 := acquire(t, b)
	wantRefused(t, b) // two are done, yet three were given out
	p3.Success()
	wantState(t, b, Closed)
}

func TestHalfOpenDecides(t *testing.T) {
	for _, tc := range []struct {
		name     string
		permits  int
		minimum  int
		outcomes string // the last letter decides
		want     State
	}{
		{"one good", 1, 10, "s", Closed},
		{"one bad", 1, 10, "f", Open},
		{"all of four good", 4, 10, "ssss", Closed},
		{"below the rate", 4, 10, "fsss", Closed},
		{"at the rate, on a success", 4, 10, "fsfs", Open},
		{"at the minimum, when that is less", 10, 4, "ssss", Closed},
		{"at the minimum, bad", 10, 4, "sffs", Open},
		{"more permits than the window holds", 15, 15, "sssssssssssssss", Closed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := halfOpen(t, tc.permits, func(c *Config) { c.MinimumCalls = tc.minimum })
			last := len(tc.outcomes) - 1
			for i := range last {
				calls(t, b, tc.outcomes[i:i+1])
				wantState(t, b, HalfOpen)
			}
			calls(t, b, tc.outcomes[last:])
			wantState(t, b, tc.want)
		})
	}
}

func TestIgnoredPermitIsGivenOutAgain(t *testing.T) {
	b, _ := halfOpen(t, 1, nil)
	for range 5 {
		p := acquire(t, b)
		wantRefused(t, b)
		p.Ignore()
		wantState(t, b, HalfOpen)
	}
	calls(t, b, "s")
	wantState(t, b, Closed)

	b, _ = halfOpen(t, 3, nil)
	p := acquire(t, b)
	acquire(t, b)
	acquire(t, b)
	p.Ignore()
	acquire(t, b)
	wantRefused(t, b) // one came back, not all
}

func TestReopenedWaitsAgain(t *testing.T) {
	b, c := halfOpen(t, 1, nil)
	calls(t, b, "f")
	c.advance(b.cfg.OpenFor)
	wantRefused(t, b)
	c.advance(1)
	calls(t, b, "s")
	wantState(t, b, Closed)
}

func TestHungPermitSticks(t *testing.T) {
	b, c := halfOpen(t, 1, nil)
	hung := acquire(t, b)
	c.advance(24 * time.Hour)
	wantRefused(t, b)
	wantState(t, b, HalfOpen)
	hung.Success() // late, but of this state
	wantState(t, b, Closed)
}

func TestMaxHalfOpenWaitOpensAgain(t *testing.T) {
	wait := func(c *Config) { c.MaxHalfOpenWait = time.Second }
	b, c := halfOpen(t, 2, wait)
	hung := acquire(t, b)
	c.advance(time.Second)
	acquire(t, b) // not longer than the wait
	c.advance(1)
	wantState(t, b, HalfOpen)
	if e := wantRefused(t, b); e.State != Open || e.RetryIn() != b.cfg.OpenFor {
		t.Errorf("refusal is %+v, want open for %v", e, b.cfg.OpenFor)
	}
	hung.Success()
	wantState(t, b, Open)
	c.advance(b.cfg.OpenFor + 1)
	calls(t, b, "ss")
	wantState(t, b, Closed)

	// A result that is itself too late decides nothing.
	b, c = halfOpen(t, 1, wait)
	late := acquire(t, b)
	c.advance(time.Second + 1)
	late.Success()
	wantState(t, b, Open)
	b, c = halfOpen(t, 1, wait)
	late = acquire(t, b)
	c.advance(time.Second + 1)
	late.Ignore()
	wantState(t, b, Open)
}
