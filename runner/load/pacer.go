package load

import (
	"context"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// pacer decides when the next call is issued. It has the method set that both
// vegeta.Pacer and ghz/load.Pacer want.
//
// Both engines sleep through whatever wait a pacer returns, deaf to being
// stopped. So this one waits itself, with an ear on the context, and returns
// no wait. It also takes a slot for the call, so that the calls in flight are
// capped by count (ghz in its open mode has no cap of its own), and a call
// that still waits for a slot when the timeline ends is never issued.
type pacer struct {
	ctx      context.Context
	schedule Schedule
	closed   bool // closed model: intended = sent
	clock    evidence.Clock
	start    time.Duration // of the timeline, on the clock
	end      time.Duration // of the timeline, on the clock
	slots    chan struct{} // holds one token for each call in flight
	waiter   waiter        // for the start of the next call
	issued   *atomic.Int64 // nil where nobody watches
}

func newPacer(ctx context.Context, spec *Spec, env Env, start time.Duration, s Schedule) *pacer {
	return &pacer{
		ctx: ctx, schedule: s, closed: spec.Closed(), clock: env.Clock,
		start: start, end: start + env.End,
		slots: make(chan struct{}, spec.inFlight()), waiter: newWaiter(ctx), issued: env.Issued,
	}
}

// close gives back what the pacer holds. No call of Pace may follow.
func (p *pacer) close() { p.waiter.close() }

// late is how far behind its time a call may still be issued after the end of
// the timeline: the last call of a plan is not lost to a timer's slack, and
// one that had to wait for a slot is not issued.
const late = 50 * time.Millisecond

// Pace waits until call number hits may be issued, and takes its slot. stop
// means that there is no further call. It is called from one goroutine.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if p.ctx.Err() != nil {
		return 0, true
	}
	limit := p.end
	if p.closed {
		if at := p.clock.Now(); at < p.start && !p.waiter.wait(p.start-at) {
			return 0, true
		}
	} else {
		at, ok := p.schedule.At(hits)
		if !ok {
			return 0, true
		}
		at += p.start
		limit = max(limit, at+late)
		if ahead := at - p.clock.Now(); ahead > 0 && !p.waiter.wait(ahead) {
			return 0, true
		}
	}
	if !p.take(limit) {
		return 0, true
	}
	if p.issued != nil {
		p.issued.Add(1)
	}
	return 0, false
}

// Rate is asked for by no engine that is used here.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// take takes a slot, waiting for one until limit; false for none.
func (p *pacer) take(limit time.Duration) bool {
	left := limit - p.clock.Now()
	if left <= 0 {
		return false
	}
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	case <-p.ctx.Done():
		return false
	}
}

// refusedPause is how long a client of a closed model waits after it could not
// connect. Without it, the clients of a target that is down spin, and take the
// processor from the target's restart.
const refusedPause = 10 * time.Millisecond

// release gives the slot of a call that has ended back.
func (p *pacer) release(class evidence.Class) {
	if p.closed && class == evidence.Refused {
		timer := time.NewTimer(refusedPause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.ctx.Done():
		}
	}
	<-p.slots
}

// intended is when call seq was to start, on the clock; a call of a closed
// model starts when it is sent.
func (p *pacer) intended(seq uint64, sent time.Duration) time.Duration {
	if p.closed {
		return sent
	}
	at, _ := p.schedule.At(seq)
	return p.start + at
}
