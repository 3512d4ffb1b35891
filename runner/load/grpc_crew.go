package load

import (
	"time"

	"github.com/bojand/ghz/load"
)

// crew starts ghz's workers, and paces the calls once they are all there: ghz
// panics, or leaves calls behind, when the pacer stops while workers are still
// being started.
type crew struct {
	run     *grpcRun
	workers int
	ticks   chan load.TickValue
	ready   chan struct{}
}

// Ticker implements load.WorkerTicker.
func (c *crew) Ticker() <-chan load.TickValue { return c.ticks }

// Run implements load.WorkerTicker. When the last value is taken, the workers
// of those before it have been started.
func (c *crew) Run() {
	for range c.workers {
		c.ticks <- load.TickValue{Delta: 1}
	}
	c.ticks <- load.TickValue{Done: true}
	close(c.ready)
}

// Finish implements load.WorkerTicker.
func (c *crew) Finish() {}

// Pace implements load.Pacer.
func (c *crew) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	<-c.ready
	wait, stop := c.run.pacer.Pace(elapsed, hits)
	if !stop {
		c.run.issue(hits)
	}
	return wait, stop
}

// Rate implements load.Pacer.
func (c *crew) Rate(elapsed time.Duration) float64 { return c.run.pacer.Rate(elapsed) }
