package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// loads are how many Pods the target would have carry the load, in the last third
// of a phase, in order.
func (s *scaling) loads(phase evidence.Span) (found []float64) {
	for _, a := range s.between(phase.End-phase.Took()/3, phase.End) {
		if !a.blind {
			found = append(found, a.load)
		}
	}
	slices.Sort(found)
	return found
}

// need is the fewest Pods that hold the load of a phase: with them, the metrics
// are within the tolerance of their targets. Not more than the autoscaler may
// have are left out of it.
func (s *scaling) need(phase evidence.Span) (int32, bool) {
	spec := s.spec(phase.End)
	tolerance := s.set.Tolerance
	if spec.Behavior != nil && spec.Behavior.Up.Tolerance != nil {
		tolerance = *spec.Behavior.Up.Tolerance
	}
	return s.carriers(phase, 1+tolerance)
}

// fair is the number of Pods that the targets ask for with the load of a phase.
func (s *scaling) fair(phase evidence.Span) (int32, bool) { return s.carriers(phase, 1) }

// carriers is how many Pods carry the load of a phase if each carries so much, but
// not fewer than the minimum.
func (s *scaling) carriers(phase evidence.Span, each float64) (int32, bool) {
	loads := s.loads(phase)
	if len(loads) == 0 || s.blindness(phase.End-phase.Took()/3, phase.End) != "" {
		return 0, false
	}
	n := int32(math.Ceil(loads[len(loads)/2]/each - slip))
	return max(n, s.spec(phase.End).Min), true
}

// noLoad says why it is not known what the load of a phase needs.
func (s *scaling) noLoad(phase evidence.Span) string {
	if why := s.blindness(phase.End-phase.Took()/3, phase.End); why != "" {
		return why
	}
	return "no metrics were recorded in the last third of phase " + phase.Name
}

// readyFrom is when, in a phase, so many Pods were Ready and stayed so to its end.
func (s *scaling) readyFrom(n int32, phase evidence.Span) (at time.Duration, ok bool) {
	at, ok = phase.Start, s.count(phase.Start).ready >= n
	for _, c := range s.counts {
		switch {
		case c.at < phase.Start || c.at >= phase.End:
		case c.ready < n:
			ok = false
		case !ok:
			at, ok = c.at, true
		}
	}
	return at, ok
}

// enough: from the start of the phase until as many Pods are Ready as hold its load.
func (s *scaling) enough() Part {
	p := Part{Name: "enough within", Limit: "<= " + s.EnoughWithin.String()}
	need, ok := s.need(s.during)
	if !ok {
		return p.as(Inconclusive, "%s", s.noLoad(s.during))
	}
	at, ok := s.readyFrom(need, s.during)
	if !ok {
		what := fmt.Sprintf("%d Pods were Ready at the end where the load needs %d, and not enough", s.count(s.during.End-1).ready, need)
		if most := s.spec(s.during.End).Max; need > most {
			what = fmt.Sprintf("the load needs %d Pods, more than the maximum of %d, and they were not there", need, most)
		}
		return s.notIn(p, s.during, s.EnoughWithin, what)
	}
	took := at - s.during.Start
	p.Measured = fmt.Sprintf("%s (%d)", formatDuration(took), need)
	if took <= s.EnoughWithin {
		return p
	}
	return p.as(Fail, "the %d Pods that the load needs were Ready %s after the start of %s", need, formatDuration(took), s.During)
}

// extreme finds the most or the fewest replicas that were wanted in a phase.
func (s *scaling) extreme(phase evidence.Span, better func(a, b int32) bool) int32 {
	found := s.count(phase.Start).wanted
	for _, r := range s.stepsIn(phase.Start, phase.End) {
		if better(r.to, found) {
			found = r.to
		}
	}
	return found
}

// overshoot: the most replicas of the phase, beyond those that its load asks for.
func (s *scaling) overshoot() Part {
	p := Part{Name: "overshoot", Limit: s.Overshoot.String()}
	fair, ok := s.fair(s.during)
	if !ok {
		return p.as(Inconclusive, "%s", s.noLoad(s.during))
	}
	peak := s.extreme(s.during, func(a, b int32) bool { return a > b })
	over := max(0, peak-fair)
	p.Measured = fmt.Sprint(over)
	if s.Overshoot.holds(float64(over)) {
		return p
	}
	return p.as(Fail, "it went up to %d, where the load asks for %d", peak, fair)
}

// undershoot: the fewest replicas of the calm phase, below those that its load needs.
func (s *scaling) undershoot() Part {
	p := Part{Name: "undershoot", Limit: s.Undershoot.String()}
	need, ok := s.need(s.calm)
	if !ok {
		return p.as(Inconclusive, "%s", s.noLoad(s.calm))
	}
	fewest := s.extreme(s.calm, func(a, b int32) bool { return a < b })
	under := max(0, min(need, s.spec(s.calm.End).Max)-fewest)
	p.Measured = fmt.Sprint(under)
	if s.Undershoot.holds(float64(under)) {
		return p
	}
	return p.as(Fail, "it went down to %d, where the load needs %d", fewest, need)
}

// minFrom is when, in the calm phase, it was at its minimum and stayed there.
func (s *scaling) minFrom() (at time.Duration, ok bool) {
	low, _ := s.bound(s.calm.End)
	at, ok = s.calm.Start, s.count(s.calm.Start).wanted <= low
	for _, r := range s.stepsIn(s.calm.Start, s.calm.End) {
		at, ok = r.at, r.to <= low
	}
	return at, ok
}

// backToMin: from the start of the calm phase until it is at its minimum for good.
func (s *scaling) backToMin() Part {
	p := Part{Name: "back to minimum within", Limit: "<= " + s.BackWithin.String()}
	low, _ := s.bound(s.calm.End)
	if s.count(s.calm.Start).wanted <= low && len(s.stepsIn(s.calm.Start, s.calm.End)) == 0 {
		return p.as(Inconclusive, "it was at its minimum, %d, before phase %s began", low, s.Calm)
	}
	at, ok := s.minFrom()
	took := at - s.calm.Start
	if ok {
		p.Measured = formatDuration(took)
		if took <= s.BackWithin {
			return p
		}
	}
	if why := s.blindness(s.calm.Start, min(s.calm.End, s.calm.Start+s.BackWithin)); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	if ok {
		return p.as(Fail, "it was back at %d replicas %s after the start of %s", low, p.Measured, s.Calm)
	}
	return s.notIn(p, s.calm, s.BackWithin, fmt.Sprintf("%d replicas were wanted at the end, and it was not back at %d", s.count(s.calm.End-1).wanted, low))
}
