package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// bounds: no step leads out of them, and what somebody else brings out of them is
// brought back.
func (s *scaling) bounds() Part {
	p := Part{Name: "bounds kept"}
	least, most := int32(math.MaxInt32), int32(0)
	for i, c := range s.counts {
		if c.at < s.specs[0].at && (i+1 == len(s.counts) || s.counts[i+1].at < s.specs[0].at) {
			continue // before there was an autoscaler
		}
		low, high := s.bound(c.at)
		p.Limit = fmt.Sprintf("%d..%d", low, high)
		least, most = min(least, c.wanted), max(most, c.wanted)
		if c.wanted >= low && c.wanted <= high {
			continue
		}
		from, to := max(c.at, s.specs[0].at), s.until
		for _, later := range s.counts[i+1:] {
			if later.wanted != c.wanted {
				to = later.at
				break
			}
		}
		p.Measured = fmt.Sprint(c.wanted)
		switch {
		case s.tells(c.at, c.wanted):
			return p.as(Fail, "it went to %d at %s", c.wanted, formatDuration(c.at))
		case to-from > s.patience():
			return p.as(Fail, "%d were wanted for %s, from %s on", c.wanted, formatDuration(to-from), formatDuration(from))
		}
	}
	p.Measured = fmt.Sprintf("%d..%d", least, most)
	return p
}

// bound is what the check claims, or what the autoscaler was told.
func (s *scaling) bound(at time.Duration) (low, high int32) {
	spec := s.spec(at)
	low, high = spec.Min, spec.Max
	if s.Min > 0 {
		low = int32(s.Min)
	}
	if s.Max > 0 {
		high = int32(s.Max)
	}
	return low, high
}

// tells reports whether an Event says that the autoscaler made a step.
func (s *scaling) tells(at time.Duration, to int32) bool {
	return slices.ContainsFunc(s.told, func(t stepTold) bool { return t.to == to && s.near(t.at, at) })
}

// near reports whether an Event may tell of a step: Events are written behind its back.
func (s *scaling) near(event, step time.Duration) bool {
	return event >= step-time.Second && event <= step+s.sync+3*time.Second
}

// rateKept: no step goes further than the policies of its behavior allow, or
// where it was told none, than to twice as many, or to four.
func (s *scaling) rateKept() Part {
	p := Part{Name: "rate policy kept", Limit: "as its behavior says"}
	if s.spec(s.until).Behavior == nil {
		p.Limit = "at most twice as many, or 4"
	}
	for _, r := range s.steps {
		spec := s.spec(r.at)
		if r.from > spec.Max || r.from < spec.Min || r.at < s.specs[0].at || s.onPurpose(r) {
			continue
		}
		leastEarly, mostEarly := s.within(spec, r.at, r.at-lag-s.gap(), r.from)
		leastLate, mostLate := s.within(spec, r.at, r.at+lag+s.gap(), r.from)
		least, most := min(leastEarly, leastLate), max(mostEarly, mostLate)
		if r.to < least || r.to > most {
			p.Measured = r.String()
			return p.as(Fail, "it went %s, where %d to %d are allowed", r, least, most)
		}
	}
	p.Measured = several(len(s.steps), "step")
	return p
}

// eventsAtOnce is how many Events of one object a client of the API may write
// before it leaves out some.
const eventsAtOnce = 25

// announced: each step has its Event SuccessfulRescale.
func (s *scaling) announced() Part {
	p := Part{Name: "steps announced"}
	told := slices.Clone(s.told)
	made := 0
	for _, r := range s.steps {
		if r.at < s.specs[0].at || s.onPurpose(r) {
			continue
		}
		made++
		i := slices.IndexFunc(told, func(t stepTold) bool { return t.to == r.to && s.near(t.at, r.at) })
		if i >= 0 {
			told = slices.Delete(told, i, i+1)
			continue
		}
		p.Measured = r.String()
		switch {
		case s.events >= eventsAtOnce:
			return p.as(Inconclusive, "no Event tells of the step %s, but it had so many Events that some are left out", r)
		case r.at > s.until-time.Second:
			return p.as(Inconclusive, "the run ended before there could be an Event of the step %s", r)
		}
		return p.as(Fail, "no Event SuccessfulRescale tells of the step %s: somebody else made it", r)
	}
	p.Measured = several(made, "step")
	return p
}

// stepsIn are the steps in a stretch of time, its end excluded.
func (s *scaling) stepsIn(from, to time.Duration) (found []rescale) {
	for _, r := range s.steps {
		if r.at >= from && r.at < to {
			found = append(found, r)
		}
	}
	return found
}

// stepped: how often it changed what is wanted in the phase. That is a fact,
// whatever the metrics were.
func (s *scaling) stepped() Part {
	p := Part{Name: "steps", Limit: s.Steps.String()}
	steps := s.stepsIn(s.during.Start, s.during.End)
	p.Measured = fmt.Sprint(len(steps))
	if s.Steps.holds(float64(len(steps))) {
		return p
	}
	return p.as(Fail, "it made %s in phase %s", several(len(steps), "step"), s.During)
}

// flaps: changes of direction.
func (s *scaling) flaps() Part {
	p := Part{Name: "flaps", Limit: s.Flaps.String()}
	turns := 0
	steps := s.stepsIn(s.during.Start, s.until)
	for i := 1; i < len(steps); i++ {
		if before, now := steps[i-1], steps[i]; (before.to > before.from) != (now.to > now.from) {
			turns++
		}
	}
	p.Measured = fmt.Sprint(turns)
	if s.Flaps.holds(float64(turns)) {
		return p
	}
	return p.as(Fail, "it changed its direction %s in %s", times(turns), several(len(steps), "step"))
}

// firstUp is the first step of the phase to more replicas.
func (s *scaling) firstUp() (rescale, bool) {
	for _, r := range s.stepsIn(s.during.Start, s.during.End) {
		if r.to > r.from {
			return r, true
		}
	}
	return rescale{}, false
}

// firstScale: from the start of the phase to the first step.
func (s *scaling) firstScale() Part {
	p := Part{Name: "first scale within", Limit: "<= " + s.FirstWithin.String()}
	up, ok := s.firstUp()
	took := up.at - s.during.Start
	if ok {
		p.Measured = formatDuration(took)
		if took <= s.FirstWithin {
			return p
		}
	}
	if why := s.blindness(s.during.Start, min(s.during.End, s.during.Start+s.FirstWithin)); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	if ok {
		return p.as(Fail, "it asked for more replicas %s after the start of %s", p.Measured, s.During)
	}
	if had, most := s.count(s.during.Start).wanted, s.mostAsked(); most <= had {
		return p.as(Inconclusive, "the metrics did not ask for more than %d replicas in phase %s, and there were %d: its load does not need more", most, s.During, had)
	}
	return s.notIn(p, s.during, s.FirstWithin, fmt.Sprintf("it did not ask for more than %d replicas", s.count(s.during.Start).wanted))
}

// mostAsked is the most that the metrics may have asked for in the phase.
func (s *scaling) mostAsked() (most int32) {
	for _, a := range s.between(s.during.Start, s.during.End) {
		if !a.blind {
			most = max(most, a.top)
		}
	}
	return most
}

// notIn judges something that did not happen in a phase.
func (s *scaling) notIn(p Part, phase evidence.Span, within time.Duration, what string) Part {
	if phase.Took() < within {
		return p.as(Inconclusive, "%s in the %s of phase %s, less than it may take", what, formatDuration(phase.Took()), phase.Name)
	}
	p.Measured = "never"
	why := ""
	if spec := s.spec(phase.Start); spec.Min == spec.Max {
		why = fmt.Sprintf(": its minimum and its maximum are %d", spec.Max)
	}
	return p.as(Fail, "%s in the %s of phase %s%s", what, formatDuration(phase.Took()), phase.Name, why)
}
