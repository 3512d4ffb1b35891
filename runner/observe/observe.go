// Package observe watches a run from beside the load: it scrapes the metrics of
// targets, reads the figures of processes and links, and keeps an eye on the
// harness itself.
package observe

import (
	"context"
	"time"

	"ordeal/runner/evidence"
)

// Observer adds what it sees to the evidence until ctx ends.
type Observer interface {
	Observe(ctx context.Context, out evidence.Sink) error
}

// every calls look at once and then at each tick, until ctx ends. Ticks that a
// slow look missed are left out, not made up for.
func every(ctx context.Context, period time.Duration, look func()) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		look()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
