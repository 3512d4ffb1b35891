package breaker

import (
	"sync/atomic"
	"time"
)

// Snapshot is a breaker at one instant. Taking one changes nothing.
type Snapshot struct {
	Name  string
	State State
	Since time.Time // when the state began; zero while it is the first
	// What the window holds. While open: what opened it.
	Calls, Failures, Slow int
	// Totals since the breaker was made. Each completed call counts once: as Failed, or when it succeeded as
	// TooSlow or Succeeded. Stale ones are also among those: they came too late to count in a window.
	Succeeded, TooSlow, Failed, Ignored, Rejected, Stale uint64
	// All legal changes of state.
	Edges [4]Edge
}

// Snapshot returns the breaker's state and counts, all of the same instant.
func (b *Breaker) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.counts
	return Snapshot{
		Name: b.cfg.Name, State: b.state, Since: b.since,
		Calls: b.window.calls, Failures: b.window.failures, Slow: b.window.slow,
		Succeeded: c.succeeded, TooSlow: c.tooSlow, Failed: c.failed, Ignored: c.ignored,
		Rejected: c.rejected, Stale: c.stale,
		Edges: c.edges,
	}
}

// State returns the state as it is. An open breaker whose time is up stays open until a call asks.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// Name is the configured name.
func (b *Breaker) Name() string { return b.cfg.Name }

// counts are the totals behind Snapshot.
type counts struct {
	succeeded, tooSlow, failed, ignored, rejected, stale uint64
	edges                                                [4]Edge
}

func (c *counts) completed(o outcome) {
	switch {
	case o&failed != 0:
		c.failed++
	case o&slow != 0:
		c.tooSlow++
	default:
		c.succeeded++
	}
}

func (c *counts) moved(t Transition) {
	for i := range c.edges {
		if e := &c.edges[i]; e.From == t.From && e.To == t.To {
			e.Count++
			e.Last = t.At
		}
	}
}

// onceFlag is set once, by whoever comes first. Vet reports a copy of it.
type onceFlag struct{ flag atomic.Bool }

func (f *onceFlag) set() bool { return f.flag.CompareAndSwap(false, true) }
