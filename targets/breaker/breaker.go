// Package breaker is a circuit breaker with a count-based window, in the semantics of Resilience4j's
// CircuitBreakerStateMachine and CircuitBreakerMetrics:
//
//   - Closed: the last Window calls are counted. Once min(MinimumCalls, Window) are in, every completed call,
//     good or bad, decides: it opens when the failure rate (or the rate of slow calls) is at or above its limit.
//   - Open: calls are refused. The first call strictly after OpenFor turns it half-open and goes through.
//   - HalfOpen: exactly HalfOpenPermits calls go through. After min(MinimumCalls, HalfOpenPermits) of them it
//     opens again or closes, by the same limits. A permit that is never completed is never given out again;
//     MaxHalfOpenWait bounds how long that can last.
//
// It differs in one point: a result belongs to the state in which its call started. One that arrives after a
// change of state is never counted in the new state's window.
package breaker

import (
	"fmt"
	"sync"
	"time"
)

// Config is what a breaker goes by. Default has the documented values.
type Config struct {
	Name            string        // in errors and metrics
	Window          int           // calls that a decision looks back on
	MinimumCalls    int           // no decision before so many calls
	FailureRate     float64       // opens at this rate or above, in (0, 1]
	OpenFor         time.Duration // how long calls are refused
	HalfOpenPermits int           // calls on probation

	SlowAfter time.Duration // a call that takes longer than this is slow; 0: no call is
	SlowRate  float64       // opens at this rate of slow calls or above, in (0, 1]; not looked at when SlowAfter is 0

	// MaxHalfOpenWait opens a breaker that has been half-open for longer, 0: never. It is looked at when a call
	// asks or completes: there is no timer.
	MaxHalfOpenWait time.Duration

	// Now is the clock; nil is time.Now. It is called with the breaker locked.
	Now func() time.Time
	// OnTransition, unless nil, hears of each change of state, one at a time and in order, with the breaker
	// unlocked. It runs on the goroutine of one of the calls: it should not block.
	OnTransition func(Transition)
}

// Default returns the documented settings: 50 % of the last 10 calls, open for 5 s, then closed on a success
// and open again on a failure.
func Default() Config {
	return Config{
		Name: "default", Window: 10, MinimumCalls: 10, FailureRate: 0.5, OpenFor: 5 * time.Second, HalfOpenPermits: 1,
	}
}

func (c Config) validate() error {
	rate := func(r float64) bool { return r > 0 && r <= 1 } // false for NaN
	switch {
	case c.Window < 1:
		return fmt.Errorf("window %d: must be at least 1", c.Window)
	case c.MinimumCalls < 1:
		return fmt.Errorf("minimum calls %d: must be at least 1", c.MinimumCalls)
	case !rate(c.FailureRate):
		return fmt.Errorf("failure rate %v: must be above 0 and at most 1", c.FailureRate)
	case c.OpenFor <= 0:
		return fmt.Errorf("open for %v: must be above 0", c.OpenFor)
	case c.HalfOpenPermits < 1:
		return fmt.Errorf("half-open permits %d: must be at least 1", c.HalfOpenPermits)
	case c.SlowAfter < 0:
		return fmt.Errorf("slow after %v: must not be negative", c.SlowAfter)
	case c.SlowAfter > 0 && !rate(c.SlowRate):
		return fmt.Errorf("slow rate %v: must be above 0 and at most 1", c.SlowRate)
	case c.MaxHalfOpenWait < 0:
		return fmt.Errorf("maximum half-open wait %v: must not be negative", c.MaxHalfOpenWait)
	}
	return nil
}

// Breaker decides which calls go through. It is safe for concurrent use.
type Breaker struct {
	cfg Config

	mu      sync.Mutex
	state   State
	since   time.Time // when state began; zero for the first
	period  uint64    // grows with each transition; a permit is worth something in its own period only
	permits int       // left to give out while half-open
	window  window
	refusal *OpenError
	counts  counts

	pending    []Transition // not yet told to OnTransition
	delivering bool         // a goroutine is telling
}

// New returns a closed breaker, or says which setting is wrong.
func New(cfg Config) (*Breaker, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("breaker %s: %w", cfg.Name, err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := &Breaker{cfg: cfg, counts: counts{edges: legalEdges}}
	b.window.ring = make([]outcome, max(cfg.Window, cfg.HalfOpenPermits))
	b.window.reset(cfg.Window)
	return b, nil
}

// Permit is the leave to make one call. Complete it exactly once, by Success, Failure or Ignore; whatever comes
// after the first does nothing, so that `defer permit.Ignore()` covers panics and early returns. Do not copy it.
type Permit struct {
	breaker *Breaker
	period  uint64
	started time.Time // only where slowness is looked at
	done    onceFlag
}

// Acquire asks for leave to make a call. The error is a *OpenError, and ErrOpen by errors.Is.
func (b *Breaker) Acquire() (Permit, error) {
	b.mu.Lock()
	defer b.unlock()
	b.elapse()
	if b.state == Open || b.state == HalfOpen && b.permits == 0 {
		b.counts.rejected++
		return Permit{}, b.refusal
	}
	if b.state == HalfOpen {
		b.permits--
	}
	var started time.Time
	if b.cfg.SlowAfter > 0 {
		started = b.cfg.Now()
	}
	return Permit{breaker: b, period: b.period, started: started}, nil
}

// Success says that the call was made and its outcome was good.
func (p *Permit) Success() { p.complete(0) }

// Failure says that the call was made and failed in a way that speaks against the other side.
func (p *Permit) Failure() { p.complete(failed) }

// Ignore says that the outcome speaks neither for nor against the other side (the caller gave up, the request
// was wrong), or that no call was made. A half-open breaker can give the permit out again.
func (p *Permit) Ignore() {
	if !p.claim() {
		return
	}
	b := p.breaker
	b.mu.Lock()
	defer b.unlock()
	b.counts.ignored++
	b.elapseHalfOpen()
	if b.period == p.period && b.state == HalfOpen {
		b.permits++
	}
}

// claim reports whether this is the first completion of a permit that was granted.
func (p *Permit) claim() bool { return p.breaker != nil && p.done.set() }

func (p *Permit) complete(o outcome) {
	if !p.claim() {
		return
	}
	b := p.breaker
	b.mu.Lock()
	defer b.unlock()
	if b.cfg.SlowAfter > 0 && b.cfg.Now().Sub(p.started) > b.cfg.SlowAfter {
		o |= slow
	}
	b.counts.completed(o)
	b.elapseHalfOpen()
	if b.period != p.period {
		b.counts.stale++
		return
	}
	b.window.add(o)
	b.decide()
}

// decide changes the state when the window holds enough calls to go by. Open never gets here: its period
// grants no permits.
func (b *Breaker) decide() {
	w := &b.window
	if w.calls < min(b.cfg.MinimumCalls, w.size) {
		return
	}
	bad := atLeast(w.failures, w.calls, b.cfg.FailureRate) ||
		b.cfg.SlowAfter > 0 && atLeast(w.slow, w.calls, b.cfg.SlowRate)
	switch {
	case bad:
		b.move(Open, b.cfg.Now())
	case b.state == HalfOpen:
		b.move(Closed, b.cfg.Now())
	}
}

// elapse does what the passing of time calls for.
func (b *Breaker) elapse() {
	if b.state == Open {
		if now := b.cfg.Now(); now.Sub(b.since) > b.cfg.OpenFor {
			b.move(HalfOpen, now)
		}
		return
	}
	b.elapseHalfOpen()
}

func (b *Breaker) elapseHalfOpen() {
	if b.state == HalfOpen && b.cfg.MaxHalfOpenWait > 0 {
		if now := b.cfg.Now(); now.Sub(b.since) > b.cfg.MaxHalfOpenWait {
			b.move(Open, now)
		}
	}
}

// move changes the state. While open the window keeps what opened it, for Snapshot to show.
func (b *Breaker) move(to State, now time.Time) {
	t := Transition{Breaker: b.cfg.Name, From: b.state, To: to, At: now,
		Calls: b.window.calls, Failures: b.window.failures, Slow: b.window.slow}
	b.counts.moved(t)
	if b.cfg.OnTransition != nil {
		b.pending = append(b.pending, t)
	}
	b.state, b.since = to, now
	b.period++
	b.refusal = &OpenError{Breaker: b.cfg.Name, State: to, now: b.cfg.Now}
	switch to {
	case Open:
		b.refusal.Until = now.Add(b.cfg.OpenFor)
	case HalfOpen:
		b.permits = b.cfg.HalfOpenPermits
		b.window.reset(b.cfg.HalfOpenPermits)
	case Closed:
		b.window.reset(b.cfg.Window)
	}
}

// unlock also tells OnTransition what happened, unless another goroutine is at it: that one goes on telling
// until nothing is left, so the order holds and nobody waits.
func (b *Breaker) unlock() {
	tell := len(b.pending) > 0 && !b.delivering
	if tell {
		b.delivering = true
	}
	b.mu.Unlock()
	if tell {
		b.deliver()
	}
}

func (b *Breaker) deliver() {
	b.mu.Lock()
	defer func() { // locked again here, unless OnTransition panicked
		b.delivering = false
		b.mu.Unlock()
	}()
	for len(b.pending) > 0 {
		t := b.pending[0]
		b.pending = b.pending[1:]
		b.tell(t)
	}
}

// tell is entered and left locked, also by a panic.
func (b *Breaker) tell(t Transition) {
	b.mu.Unlock()
	defer b.mu.Lock()
	b.cfg.OnTransition(t)
}
