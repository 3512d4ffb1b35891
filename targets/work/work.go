// Package work is what a call of a reference service costs on top of what it does: processor time, as real code
// burns it, and waiting, as for a database. By default there is none.
package work

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Longest is the most that a cost may be. It keeps a slip of the unit from stopping a service.
const Longest = time.Minute

// Cost is what one call takes.
type Cost struct {
	CPU   time.Duration // of one processor, however busy the machine is
	Sleep time.Duration // ends early with the call's context
}

// String gives the form that Set reads.
func (c *Cost) String() string {
	if c == nil || *c == (Cost{}) {
		return ""
	}
	return fmt.Sprintf("cpu:%v,sleep:%v", c.CPU, c.Sleep)
}

// Set reads "cpu:200us,sleep:1ms", either part or, for no cost, none, and replaces what was set before.
func (c *Cost) Set(text string) error {
	var read Cost
	if strings.TrimSpace(text) == "" {
		*c = read
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		kind, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q: want cpu:DURATION or sleep:DURATION", part)
		}
		if d < 0 || d > Longest {
			return fmt.Errorf("%s: want 0s to %v", part, Longest)
		}
		switch kind {
		case "cpu":
			read.CPU = d
		case "sleep":
			read.Sleep = d
		default:
			return fmt.Errorf("%q: want cpu or sleep", kind)
		}
	}
	*c = read
	return nil
}

// Worker pays costs. It turns processor time into a number of steps, so that a call costs the same work when others
// compete for the processor; looking at the clock would make it cheaper then. The zero Worker burns nothing.
type Worker struct{ stepsPerSecond float64 }

const (
	measureRuns  = 8
	measureSteps = 1 << 20               // about a millisecond
	burnSlice    = 50 * time.Microsecond // between looks at the context
)

// Measure finds out how fast the processor is, in about ten milliseconds: the fastest of several runs is the one
// least disturbed.
func Measure() Worker {
	best := time.Duration(1<<63 - 1)
	for range measureRuns {
		start := time.Now()
		runtime.KeepAlive(spin(measureSteps))
		best = min(best, time.Since(start))
	}
	return Worker{stepsPerSecond: measureSteps / best.Seconds()}
}

// Pay burns the cost's processor time, then sleeps. The error is the context's.
func (w Worker) Pay(ctx context.Context, c Cost) error {
	if err := w.burn(ctx, c.CPU); err != nil {
		return err
	}
	return sleep(ctx, c.Sleep)
}

func (w Worker) burn(ctx context.Context, d time.Duration) error {
	for d > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		slice := min(d, burnSlice)
		runtime.KeepAlive(spin(int(slice.Seconds() * w.stepsPerSecond)))
		d -= slice
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spin takes n steps of Marsaglia's xorshift generator, each of which needs the one before.
//
//go:noinline
func spin(n int) uint64 {
	x := uint64(88172645463325252)
	for range n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}
