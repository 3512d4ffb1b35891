package speed

import (
	"fmt"
	"slices"
	"time"
)

// noise is what the machine does to a program that wants nothing of it. No tool
// sends calls more punctually than that, and none collects garbage faster than
// memory can be touched.
type noise struct {
	held    float64       // part of the time that a thread was kept from its processor
	longest time.Duration // at a stretch
	late    time.Duration // p99 of how late its work was begun
	idle    time.Duration // how long the memory had not been touched
	cold    time.Duration // to touch a page of it then
	warm    time.Duration // and again
}

// The probe, ahead of each round of a comparison of send lag.
const (
	probed     = 2 * time.Second
	probePages = 4096
	// The thread is as busy as a generator at half of what it reaches.
	probeEvery = 20 * time.Microsecond
	probeWork  = 12 * time.Microsecond
	// heldFrom is above what an interrupt takes.
	heldFrom = 100 * time.Microsecond
)

// noises are those of some rounds.
type noises []noise

func (n noises) of(figure func(noise) float64) spread {
	values := make([]float64, len(n))
	for i, x := range n {
		values[i] = figure(x)
	}
	return spreadOf(values)
}

// note says what they were; "" where none was heard.
func (n noises) note() string {
	if len(n) == 0 {
		return ""
	}
	held := n.of(func(x noise) float64 { return 100 * x.held })
	late := n.of(func(x noise) float64 { return x.late.Seconds() * 1e3 })
	longest := slices.MaxFunc(n, func(a, b noise) int { return int(a.longest - b.longest) }).longest
	micros := func(d func(noise) time.Duration) float64 {
		return n.of(func(x noise) float64 { return float64(d(x).Nanoseconds()) / 1e3 }).Median
	}
	return fmt.Sprintf("The machine itself, before each round: a thread that had %v of work every %v, and no memory to touch, where the tool runs, with the server's processor busy too, "+
		"was kept from it for %.2f%% [%.2f–%.2f] of the time, %.1f ms at the longest, and was %.2f ms late at p99 [%.2f–%.2f]. "+
		"To touch a page of memory took %.2f µs when it had not been touched for %v, and %.2f µs the next time.",
		probeWork, probeEvery, held.Median, held.Min, held.Max, longest.Seconds()*1e3, late.Median, late.Min, late.Max,
		micros(func(x noise) time.Duration { return x.cold }), n[0].idle, micros(func(x noise) time.Duration { return x.warm }))
}
