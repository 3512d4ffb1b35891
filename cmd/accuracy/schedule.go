package main

import (
	"fmt"
	"math"
	"time"
)

// schedule is when calls are due: at a rate that goes from one to another in a
// straight line. It is worked out here and not taken from what it is to judge.
type schedule struct {
	from, to float64 // calls a second
	length   time.Duration
}

func hold(rate float64, length time.Duration) schedule { return schedule{rate, rate, length} }

// count is the number of calls that are due.
func (s schedule) count() int {
	return int(math.Ceil((s.from+s.to)/2*s.length.Seconds() - 1e-6))
}

// at is when call n is due, from the start: the time at which the integral of
// the rate reaches n.
func (s schedule) at(n int) time.Duration {
	grows := (s.to - s.from) / s.length.Seconds()
	if grows == 0 {
		return seconds(float64(n) / s.from)
	}
	return seconds((math.Sqrt(s.from*s.from+2*grows*float64(n)) - s.from) / grows)
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// yaml is the curve as a scenario has it.
func (s schedule) yaml() string {
	if s.from == s.to {
		return fmt.Sprintf("%g/s", s.from)
	}
	return fmt.Sprintf("{ramp: {from: %g/s, to: %g/s}}", s.from, s.to)
}

func (s schedule) String() string {
	if s.from == s.to {
		return fmt.Sprintf("%g/s for %v", s.from, s.length)
	}
	return fmt.Sprintf("%g/s to %g/s in %v", s.from, s.to, s.length)
}
