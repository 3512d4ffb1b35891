package load

import (
	"context"
	"sync"
	"time"

	"github.com/bojand/ghz/load"
)

// crew has ghz's workers started as they are needed, and paces the calls. It
// is ghz's ticker of workers and its pacer at once, because workers may be
// started only while the pacer is asked for a call: ghz panics, or leaves calls
// behind, when the pacer stops while some are still being started.
type crew struct {
	ctx   context.Context
	run   *grpcRun
	step  int // so many are started at once: the same number for each connection
	most  int // calls in flight
	ticks chan load.TickValue
	size  int           // so far
	cut   func()        // stops ghz, which closes the connections
	ended chan struct{} // closed when they are

	mu   sync.Mutex
	live bool // ghz may be stopped: from the first Pace to Finish
}

func newCrew(ctx context.Context, run *grpcRun, connections, inFlight int) *crew {
	if run.pacer.closed && run.direct == nil {
		// One call more than there are clients is let go, so that each worker finds
		// one when it is through with its own, and waits for nobody to be woken.
		run.pacer.slots = newSlots(inFlight + 1)
	}
	return &crew{
		ctx: ctx, run: run, step: connections, most: inFlight,
		ticks: make(chan load.TickValue), ended: make(chan struct{}),
	}
}

// Ticker implements load.WorkerTicker.
func (c *crew) Ticker() <-chan load.TickValue { return c.ticks }

// Run implements load.WorkerTicker: nothing happens by itself.
func (c *crew) Run() {}

// Finish implements load.WorkerTicker. Pace is not called any more.
func (c *crew) Finish() {
	c.setLive(false)
	c.ticks <- load.TickValue{Done: true}
}

func (c *crew) setLive(live bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = live
}

// grow starts workers for at least n calls in flight: a half more than are
// needed now, as whole rounds over the connections. In a closed model they are
// the clients, all of them and no more. Where a call is but a ticket, a few are
// enough for any number.
func (c *crew) grow(n int) {
	add := (min(n+n/2, c.most) - c.size + c.step - 1) / c.step * c.step
	switch {
	case c.run.direct != nil:
		add = c.step - c.size
	case c.run.pacer.closed:
		add = c.most - c.size
	}
	if add <= 0 {
		return
	}
	if c.run.direct == nil {
		c.run.hire(add)
	}
	c.size += add
	c.ticks <- load.TickValue{Delta: add}
	c.ticks <- load.TickValue{} // is taken when those are there
}

// Pace implements load.Pacer.
func (c *crew) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits == 0 {
		c.setLive(true)
	}
	wait, stop := c.run.pacer.Pace(elapsed, hits)
	if stop {
		c.leave()
		return 0, true
	}
	if n := int(c.run.pacer.slots.taken.Load()); n > c.size && c.size < c.most {
		c.grow(n)
	}
	return wait, false
}

// Rate implements load.Pacer.
func (c *crew) Rate(elapsed time.Duration) float64 { return c.run.pacer.Rate(elapsed) }

// leave waits for the calls in flight: they can be ended only while ghz is
// still there to be stopped.
func (c *crew) leave() {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !c.run.idle() {
		select {
		case <-look.C:
		case <-c.ended:
			return
		}
	}
}

// guard ends the calls in flight a grace after the run was cancelled, until
// stop is called. ghz gives its calls no context, so that is done by closing
// their connections, and beside Pace: ghz does not ask for a call while it has
// one that no worker is free to take.
func (c *crew) guard() (stop func()) {
	late, end := outlive(c.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-late.Done()
		c.mu.Lock() // Finish waits, and so does the end of ghz
		defer c.mu.Unlock()
		if c.live {
			c.run.ended.Store(true)
			c.cut()
			close(c.ended)
		}
	}()
	return func() {
		c.setLive(false)
		end()
		<-done
	}
}
