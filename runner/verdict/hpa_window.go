package verdict

import (
	"fmt"
	"time"
)

// stabilized: the window on the way down. No step to fewer replicas comes sooner
// than that after the metrics asked for more than it leaves; and the first one of
// the calm phase comes within the window, and two synchronisations, after the
// metrics last asked for as many as there were.
func (s *scaling) stabilized() Part {
	p := Part{Name: "stabilization window", Limit: s.Stabilization.String()}
	if s.unrecorded != "" {
		return p.as(Inconclusive, "%s", s.unrecorded)
	}
	for _, r := range s.steps {
		if r.to >= r.from || r.at < s.during.Start || r.from > s.spec(r.at).Max {
			continue
		}
		if since, ok := s.surelyAbove(r); ok && r.at-since < s.Stabilization-lag {
			p.Measured = formatDuration(r.at - since)
			return p.as(Fail, "it went %s, %s after the metrics had asked for more than that", r, p.Measured)
		}
	}
	return s.firstDown(p)
}

// surelyAbove is the last time before a step at which the autoscaler must have
// been asked for more than it left.
func (s *scaling) surelyAbove(r rescale) (last time.Duration, ok bool) {
	for _, a := range s.between(0, r.at-s.slack()) {
		if a.firm && a.firmLow > r.to {
			last, ok = a.at, true
		}
	}
	return last, ok
}

// firstDown judges that the window is no longer than was claimed.
func (s *scaling) firstDown(p Part) Part {
	if why := s.blindness(s.calm.Start, s.calm.End); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	had := s.count(s.calm.Start).wanted
	at, down := s.calm.End, false
	for _, r := range s.stepsIn(s.calm.Start, s.calm.End) {
		if r.to < r.from {
			had, at, down = r.from, r.at, true
			break
		}
		had = r.to
	}
	if low := s.spec(s.calm.Start).Min; !down && had <= low {
		return p.as(Inconclusive, "it had its fewest replicas, %d, before phase %s began", had, s.Calm)
	}
	last := time.Duration(-1)
	for _, a := range s.between(0, at) {
		if a.blind || a.partly || a.top >= had {
			last = a.at
		}
	}
	if last < 0 {
		return p.as(Inconclusive, "it is not known when the metrics last asked for %d replicas", had)
	}
	took, longest := at-last, s.Stabilization+s.patience()
	switch {
	case !down && took <= longest:
		return p.as(Inconclusive, "phase %s ended %s after the metrics last asked for %d replicas, less than it may take", s.Calm, formatDuration(took), had)
	case !down:
		p.Measured = "> " + formatDuration(took)
	default:
		p.Measured = formatDuration(took)
	}
	if took > longest {
		return p.as(Fail, "%s", fmt.Sprintf("%s after the metrics last asked for %d replicas there were as many still: more than %s and two synchronisations", formatDuration(took), had, s.Stabilization))
	}
	return p
}
