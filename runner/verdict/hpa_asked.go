package verdict

import (
	"math"
	"slices"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// asked is what the metrics ask for at a time, by the recomputation: a range,
// because it is not known which of two states near each other the autoscaler saw.
type asked struct {
	at       time.Duration
	low, top int32
	blind    bool    // no metric was valid, so nothing is asked for
	partly   bool    // it may have been blind
	load     float64 // how many Pods the target would have carry what was measured
	// firmLow and firmTop are what at least one synchronisation soon after must
	// have asked for: no less, and no more. firm is false where that is not known.
	firmLow, firmTop int32
	firm             bool
}

// windows of metrics that are tried: no run records them.
var tried = []time.Duration{0, time.Second, 30 * time.Second}

// lag is how much later than the autoscaler the watches may see a change.
const lag = 500 * time.Millisecond

// gap is the time from one poll of the metrics to the next.
func (s *scaling) gap() time.Duration {
	return max(s.feeds[resourceAPI].gap, s.feeds[customAPI].gap, lag)
}

// slack is how far from a moment that was watched the autoscaler may have looked
// at its metrics: a synchronisation, and as long as they were not polled.
func (s *scaling) slack() time.Duration { return s.sync + s.gap() + lag }

// recompute finds what the metrics asked for, each time that they were polled.
func (s *scaling) recompute() {
	if s.unrecorded == "" {
		s.unrecorded = s.notRecorded()
	}
	if s.unrecorded != "" {
		return
	}
	var grid []time.Duration
	for _, m := range s.spec(s.until).Metrics {
		api, _ := feedOf(m)
		for _, p := range s.feeds[api].all {
			if p.at >= max(s.specs[0].at, s.counts[0].at) && p.at <= s.until {
				grid = append(grid, p.at)
			}
		}
	}
	slices.Sort(grid)
	for _, at := range slices.Compact(grid) {
		if a, ok := s.ask(at, s.until, s.wantedNear(at)...); ok {
			s.asked = append(s.asked, a)
		}
	}
	s.firm()
}

// ask recomputes the recommendation for everything that the autoscaler may have
// seen of the metrics at a time, with the Pods of that time but none of later than
// until, and with a number of replicas wanted.
func (s *scaling) ask(at, until time.Duration, wanted ...int32) (a asked, ok bool) {
	a = asked{at: at, low: math.MaxInt32, blind: true}
	spec := s.spec(at)
	for _, seen := range []time.Duration{at - lag, at, at + lag} {
		pods := s.podsAt(min(seen, until))
		for _, window := range tried {
			state := autoscaler.State{At: s.wall(at), Replicas: s.count(at).replicas, Pods: pods}
			for _, m := range spec.Metrics {
				r, known := s.reading(m, at, window)
				if !known {
					return a, false
				}
				state.Readings = append(state.Readings, r)
			}
			for _, state.Wanted = range wanted {
				a.add(autoscaler.Recommend(s.set, spec, state))
			}
		}
	}
	return a, true
}

func (a *asked) add(d autoscaler.Decision) {
	if d.Reason == autoscaler.Blind {
		a.partly = true
		return
	}
	a.blind = false
	a.low, a.top = min(a.low, d.Proposed), max(a.top, d.Proposed)
	for _, p := range d.Proposals {
		a.load = max(a.load, p.Load)
	}
}

// wantedNear are the replicas that were wanted about a time.
func (s *scaling) wantedNear(at time.Duration) []int32 {
	near := []int32{s.count(at).wanted}
	for _, r := range s.steps {
		if r.at >= at-lag && r.at <= at+lag {
			near = append(near, r.from, r.to)
		}
	}
	slices.Sort(near)
	return slices.Compact(near)
}

// firm finds what a synchronisation must have met: what was asked for all the
// time until the next one.
func (s *scaling) firm() {
	for i := range s.asked {
		a := &s.asked[i]
		a.firmLow, a.firmTop = a.low, a.top
		for _, b := range s.asked[i:] {
			if b.blind || b.partly {
				break
			}
			a.firmLow, a.firmTop = min(a.firmLow, b.low), max(a.firmTop, b.top)
			if b.at >= a.at+s.slack() {
				a.firm = true
				break
			}
		}
	}
}

// between are the moments in a stretch of time, both ends included.
func (s *scaling) between(from, to time.Duration) []asked {
	when := func(a asked) time.Duration { return a.at }
	return s.asked[sortedBefore(s.asked, from-1, when)+1 : sortedBefore(s.asked, max(from-1, to), when)+1]
}

// blindness says why the metrics of a stretch of time carry no claim: where they
// were missing for more than half of it, or not recorded.
func (s *scaling) blindness(from, to time.Duration) string {
	if s.unrecorded != "" {
		return s.unrecorded
	}
	valid := 0
	for _, a := range s.between(from, to) {
		if !a.blind {
			valid++
		}
	}
	if gap := s.gap(); time.Duration(valid)*gap < (to-from)/2 {
		return "the autoscaler's metrics were missing from " + formatDuration(from) + " to " + formatDuration(to)
	}
	return ""
}
