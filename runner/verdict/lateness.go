package verdict

import (
	"fmt"
	"math"
	"time"

	"ordeal/runner/evidence"
)

// late says how far the calls of a load were behind their schedule, and what may
// have kept them. Where all workers were taken by calls in flight, and neither
// the generator nor its machine was at its limit, the target is slow, and times
// from the schedule tell the truth about it. Else they say nothing of the target.
type late struct {
	closed   bool // a closed model has no schedule to be behind
	external bool // its target is not one that the run started
	workers  int
	planned  int64
	missing  int64         // planned calls that were never sent
	median   time.Duration // of the send lag
	p99      time.Duration // of the send lag
	service  time.Duration // median of the service time
	full     float64       // share of all waiting that was done while the workers were taken
	taken    float64       // share of the time in which the workers were taken
	strain   strain        // while calls waited
	waits    int64         // how often in the whole run evidence had to wait for the disk
	unknown  string        // why nothing can be said
}

// A send lag below this is not worth a word: timers and scheduling.
const smallLag = 10 * time.Millisecond

// Workers count as taken when so much of them is in flight, on average over a tick.
const takenShare = 0.8

// workersTaken reports whether calls waited because all workers were taken.
func (l late) workersTaken() bool {
	if l.workers <= 0 || l.unknown != "" {
		return false
	}
	return l.full >= 0.5 || l.missing > 0 && l.taken > 0 && l.taken >= 0.5*float64(l.missing)/float64(l.planned)
}

// traffic is how many calls of each load were in flight and how many were
// waiting to be sent, on average over each tick of the summary.
type traffic struct {
	start, tick time.Duration
	loads       []evidence.LoadSummary
}

func inFlight(run *evidence.Run) (*traffic, error) {
	summary, err := run.Summary()
	if err != nil {
		return nil, fmt.Errorf("counting calls: %w", err)
	}
	return &traffic{start: summary.Start, tick: summary.Tick, loads: summary.Loads}, nil
}

// tickOf is the value of a tick; there are no calls beyond the run's end.
func tickOf(values []float64, tick int) float64 {
	if tick < 0 || tick >= len(values) {
		return 0
	}
	return values[tick]
}

// at is an offset in ticks.
func (t *traffic) at(offset time.Duration) float64 {
	return max(0, float64(offset-t.start)/float64(t.tick))
}

// shares is how much of the waiting, and of the time, fell into ticks in which
// the workers were taken.
func (t *traffic) shares(load, workers int, spans []evidence.Span) (full, taken float64) {
	if workers <= 0 {
		return 0, 0
	}
	var waited, waitedFull, ticks, ticksTaken float64
	for _, s := range spans {
		for k := int(t.at(s.Start)); k < int(math.Ceil(t.at(s.End))); k++ {
			w := tickOf(t.loads[load].Waiting, k)
			ticks++
			waited += w
			if tickOf(t.loads[load].InFlight, k) >= takenShare*float64(workers) {
				ticksTaken++
				waitedFull += w
			}
		}
	}
	if waited > 1e-9 {
		full = waitedFull / waited
	}
	if ticks > 0 {
		taken = ticksTaken / ticks
	}
	return full, taken
}

// waiting is how many calls of a load waited between two times, on average, times
// how long that was.
func (t *traffic) waiting(load int, from, to time.Duration) (sum float64) {
	a, b := t.at(from), t.at(to)
	for k := int(a); k < int(math.Ceil(b)); k++ {
		sum += tickOf(t.loads[load].Waiting, k) * (min(b, float64(k+1)) - max(a, float64(k)))
	}
	return sum
}
