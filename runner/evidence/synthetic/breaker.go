package synthetic

import (
	"sort"
	"time"
)

// The states of the breaker, as breaker_state gives them.
const (
	closed = iota
	open
	halfOpen
)

var stateNames = [...]string{"closed", "open", "half-open"}

const (
	deadline = 500 * time.Millisecond // of a call behind the breaker
	wait     = 5 * time.Second        // from open to half-open
)

// change is one of the breaker's state, at an offset on the clock of the run.
type change struct {
	at       time.Duration
	from, to int
}

// changes are what the breaker goes through: it opens a moment after the fault,
// fails its trial after each wait, and closes with the first trial after the heal.
func (p *plan) changes() []change {
	o := p.phase("outage")
	heal := start + o.until()
	at := start + o.from + time.Second
	out := []change{{at, closed, open}}
	for {
		at += wait
		out = append(out, change{at, open, halfOpen})
		if at > heal {
			return append(out, change{at + 50*time.Millisecond, halfOpen, closed})
		}
		at += deadline
		out = append(out, change{at, halfOpen, open})
	}
}

// stateAt is the state at an offset, and the index of the change that led to it.
func stateAt(changes []change, at time.Duration) (state, index int) {
	i := sort.Search(len(changes), func(i int) bool { return changes[i].at > at }) - 1
	if i < 0 {
		return closed, i
	}
	return changes[i].to, i
}
