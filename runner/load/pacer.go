package load

import (
	"context"
	"runtime"
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
//
// An engine is asked for a worker only while there are too few: one that is
// through with its call stays, and gets its next one from here (see again).
type pacer struct {
	ctx      context.Context
	schedule Schedule
	closed   bool // closed model: intended = sent
	clock    evidence.Clock
	start    time.Duration // of the timeline, on the clock
	end      time.Duration // of the timeline, on the clock
	slots    *slots        // one for each call in flight
	free     freeWorkers   // hold no slot
	ready    []*freeWorker // have a call, and have not been told
	chains   int           // see rouse
	let      uint64        // calls of an open model that Pace has let go
	waiter   waiter        // for the start of the next call
	paid     time.Duration // the wake-ups so far are paid for until then
	calls    atomic.Uint64 // numbered so far, by next
	issued   *atomic.Int64 // nil where nobody watches, or another counts
}

func newPacer(ctx context.Context, spec *Spec, env Env, start time.Duration, s Schedule) *pacer {
	return &pacer{
		ctx: ctx, schedule: s, closed: spec.Closed(), clock: env.Clock,
		start: start, end: start + env.End,
		slots: newSlots(spec.inFlight()), waiter: newWaiter(ctx), issued: env.Issued,
		chains: runtime.GOMAXPROCS(0),
	}
}

// close gives back what the pacer holds. No call of Pace may follow.
func (p *pacer) close() { p.waiter.close() }

// late is how far behind its time a call may still be issued after the end of
// the timeline: the last call of a plan is not lost to a timer's slack, and
// one that had to wait for a slot is not issued.
const late = 50 * time.Millisecond

// tick is the time between two wake-ups of the pacer when calls are due all the
// time: all that are due by then go out together. Calls that are further apart
// are not held back, nor is a burst of them, as random arrivals have, as long as
// the wake-ups of the last burst ticks are no more than those.
const (
	tick  = 200 * time.Microsecond
	burst = 20
)

// Pace waits until a call may be issued for which no worker is free, and takes
// its slot; the calls until then have gone to those who were. stop means that
// there is no further call. It is called from one goroutine.
func (p *pacer) Pace(time.Duration, uint64) (wait time.Duration, stop bool) {
	for p.admit() {
		p.count()
		w := p.free.take()
		if w == nil {
			p.rouse()
			return 0, false
		}
		p.ready = append(p.ready, w)
	}
	p.rouse()
	p.free.dismiss()
	return 0, true
}

// rouse has the calls made that were given to free workers. The runtime puts a
// goroutine that is woken ahead of those that wait to be run, and the one before it
// behind them. So each worker wakes another one before it makes its call: they are
// not held up by all the answers that have come in. There is a chain of them for
// each processor.
func (p *pacer) rouse() {
	chains := min(len(p.ready), p.chains)
	for i, w := range p.ready[chains:] {
		p.ready[i].next = w
	}
	for _, w := range p.ready[:chains] {
		w.more <- true
	}
	p.ready = p.ready[:0]
}

// admit waits until the next call may be issued, and takes its slot; false where
// there is none.
func (p *pacer) admit() bool {
	if p.ctx.Err() != nil {
		return false
	}
	limit := p.end
	if p.closed {
		if at := p.clock.Now(); at < p.start && !p.waiter.wait(p.start-at) {
			return false
		}
	} else {
		at, ok := p.schedule.At(p.let)
		if !ok {
			return false
		}
		at += p.start
		limit = max(limit, at+late)
		if !p.until(at) {
			return false
		}
		p.let++
	}
	return p.take(limit)
}

// count tells who watches of another call.
func (p *pacer) count() {
	if p.issued != nil {
		p.issued.Add(1)
	}
}

// until waits for a time on the clock, up to a tick longer where wake-ups have
// been many; false when the run was cancelled.
func (p *pacer) until(at time.Duration) bool {
	now := p.clock.Now()
	if at <= now {
		return true
	}
	p.rouse()
	p.paid = max(p.paid, now-burst*tick) + tick
	return p.waiter.wait(max(at, p.paid) - now)
}

// Rate is asked for by no engine that is used here.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// take takes a slot, waiting for one until limit; false for none.
func (p *pacer) take(limit time.Duration) bool {
	left := limit - p.clock.Now()
	if left <= 0 {
		return false
	}
	if p.slots.try() {
		return true
	}
	p.rouse()
	if !p.slots.take(p.ctx, left) {
		return false
	}
	// The calls that end with the timeline, or with the run, leave their slots.
	if p.clock.Now() >= limit || p.ctx.Err() != nil {
		p.slots.give()
		return false
	}
	return true
}

// next numbers the calls that Pace let go, whoever makes them.
func (p *pacer) next() uint64 { return p.calls.Add(1) - 1 }

// refusedPause is how long a client of a closed model waits after it could not
// connect. Without it, the clients of a target that is down spin, and take the
// processor from the target's restart.
const refusedPause = 10 * time.Millisecond

// release gives the slot of a call that has ended back.
func (p *pacer) release(class evidence.Class) {
	p.pause(class)
	p.slots.give()
}

// again gives a worker whose call has ended another one to start now; false where
// there is none. A client of a closed model goes on until the timeline ends, and
// keeps its slot. A worker of an open model gives it back, and waits until a call
// is due that has taken one.
func (p *pacer) again(w *freeWorker, class evidence.Class, done time.Duration) bool {
	if !p.closed {
		// In this order: who takes the slot finds a worker for it.
		more := p.free.join(w)
		p.slots.give()
		return more && w.wait()
	}
	if p.pause(class) {
		done = p.clock.Now()
	}
	if p.ctx.Err() == nil && done < p.end {
		p.count()
		return true
	}
	p.slots.give()
	return false
}

// pause waits where a call of a closed model was refused, and reports whether it
// did.
func (p *pacer) pause(class evidence.Class) bool {
	if !p.closed || class != evidence.Refused {
		return false
	}
	timer := time.NewTimer(refusedPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
	}
	return true
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
