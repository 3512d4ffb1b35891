package main

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"ordeal/cmd/accuracy/target"
)

// timed is one call or message: when it was due, when the target had it, and
// when it ended, all on the target's clock.
type timed struct {
	due, arrived, ended time.Duration
	// givenUp says that the client ended it: when, follows from its arrival.
	givenUp bool
	// earliest is the earliest time at which it may have ended, where that is not
	// known better; else 0.
	earliest time.Duration
}

func responses(of []timed) []time.Duration {
	out := make([]time.Duration, len(of))
	for i, t := range of {
		out[i] = t.ended - t.due
	}
	return out
}

// leastResponses are the response times at their least.
func leastResponses(of []timed) []time.Duration {
	out := responses(of)
	for i, t := range of {
		if t.earliest != 0 {
			out[i] = t.earliest - t.due
		}
	}
	return out
}

func services(of []timed) []time.Duration {
	out := make([]time.Duration, len(of))
	for i, t := range of {
		out[i] = t.ended - t.arrived
	}
	return out
}

// ended is when a call ended for who made it: when its answer was handed over
// or its connection reset, or when it was given up. Its time runs from its
// sending, which the target knows by its arrival.
func ended(c target.Call, timeout time.Duration) time.Duration {
	givenUp := c.Arrived + timeout
	if c.Ended == 0 || timeout > 0 && c.Ended > givenUp {
		return givenUp
	}
	return c.Ended
}

// numbered gives the truth of calls whose numbers the target knows. start is
// that of the schedule, on the target's clock. A call that arrived twice, or
// that the schedule does not have, is an error: then nothing is known.
func numbered(calls []target.Call, s schedule, start, timeout time.Duration) (map[uint64]timed, error) {
	known := make(map[uint64]timed, len(calls))
	planned := uint64(s.count())
	for _, c := range calls {
		if _, twice := known[c.N]; twice {
			return nil, fmt.Errorf("call %d reached the target twice", c.N)
		}
		if c.N >= planned {
			return nil, fmt.Errorf("call %d reached the target, and %d are planned", c.N, planned)
		}
		end := ended(c, timeout)
		known[c.N] = timed{start + s.at(int(c.N)), c.Arrived, end, end != c.Ended, 0}
	}
	return known, nil
}

// ordered gives the truth of calls that carry no number: the i-th to arrive is
// the i-th of the schedule.
func ordered(calls []target.Call, s schedule, timeout time.Duration) []timed {
	calls = byArrival(calls)
	start := began(calls, s)
	out := make([]timed, 0, len(calls))
	for i, c := range calls {
		out = append(out, timed{due: start + s.at(i), arrived: c.Arrived, ended: ended(c, timeout)})
	}
	return out
}

// began is when the schedule of such calls began: with the first arrival, or
// earlier where the first calls were held up, as by connecting. No call comes
// before its time, so it is the earliest start that one of the first fifth
// suggests; later ones may have lost their places.
func began(calls []target.Call, s schedule) time.Duration {
	var start time.Duration
	for i, c := range calls[:(len(calls)+4)/5] {
		if at := c.Arrived - s.at(i); i == 0 || at < start {
			start = at
		}
	}
	return start
}

func byArrival(calls []target.Call) []target.Call {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b target.Call) int { return cmp.Compare(a.Arrived, b.Arrived) })
	return calls
}

// early is how long before its time a call may seem to arrive, by the errors of
// timers and of began.
const early = 200 * time.Microsecond

// skipping gives the truth of a tool that leaves a call out when none of its
// workers is free: each call takes the newest place of the schedule that is due
// by then and leaves one to every call after it. Places left empty are calls
// that a user would have made; how they would have fared the program says, where
// it needs nothing but their time. missed is their number.
func skipping(calls []target.Call, s schedule, timeout time.Duration, p target.Program) (of []timed, missed int) {
	calls = byArrival(calls)
	if len(calls) == 0 {
		return nil, s.count()
	}
	first := began(calls, s)
	places, limit := make([]int, len(calls)), s.count()
	for i := len(calls) - 1; i >= 0; i-- {
		due := sort.Search(limit, func(n int) bool { return s.at(n) > calls[i].Arrived-first+early })
		limit = max(due-1, i) // there are i calls before it
		places[i] = limit
	}
	next := 0
	for i, c := range calls {
		for ; next < places[i]; next++ {
			missed++
			if p != nil {
				due := s.at(next)
				of = append(of, timed{due: first + due, arrived: first + due, ended: first + due + p.Treat(uint64(next), due).Delay})
			}
		}
		of = append(of, timed{due: first + s.at(next), arrived: c.Arrived, ended: ended(c, timeout)})
		next++
	}
	return of, missed
}
