package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordeal/cmd/accuracy/target"
)

// wallClock follows how the wall clock lies to the monotonic one. Evidence
// gives the wall clock of its base; the target's log is on the monotonic clock.
type wallClock struct {
	clock    target.Clock
	readings []reading
	stop     context.CancelFunc
	ended    chan struct{}
}

// reading is one look at both clocks.
type reading struct {
	wall time.Time
	mono time.Duration
}

const (
	lookEvery = 50 * time.Millisecond
	// maxStep is how far two neighbouring readings may disagree.
	maxStep = 100 * time.Microsecond
)

// followWall looks at the clocks until close is called.
func followWall(ctx context.Context) *wallClock {
	ctx, stop := context.WithCancel(ctx)
	w := &wallClock{clock: target.NewClock(), stop: stop, ended: make(chan struct{})}
	w.look()
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.look()
			}
		}
	}()
	return w
}

func (w *wallClock) look() {
	now := time.Now() // one instant of both clocks
	w.readings = append(w.readings, reading{now.Round(0), w.clock.At(now)})
}

func (w *wallClock) close() { w.stop(); <-w.ended }

// monotonic is the reading of the monotonic clock at a wall time, from the
// readings before and after it. They must agree: a wall clock that was set
// meanwhile proves nothing.
func (w *wallClock) monotonic(at time.Time) (time.Duration, error) {
	for i := 1; i < len(w.readings); i++ {
		before, after := w.readings[i-1], w.readings[i]
		if before.wall.After(at) || after.wall.Before(at) {
			continue
		}
		low := before.mono + at.Sub(before.wall)
		high := after.mono - after.wall.Sub(at)
		if (high - low).Abs() > maxStep {
			return 0, fmt.Errorf("the wall clock was set while the run began: it moved by %v", high-low)
		}
		return (low + high) / 2, nil
	}
	return 0, errors.New("the run's base is not within the time of the run: the wall clock was set")
}
