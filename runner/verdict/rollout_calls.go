package verdict

import (
	"time"

	"ordeal/runner/evidence"
)

// answers is when which version answered, from a while before a change on.
type answers struct {
	old, new          int64         // answers by each since the change
	oldBefore         int64         // answers by the old version before it
	stranger          int64         // answers since the change by who is of neither version, or is not named
	firstNew, lastOld time.Duration // of the answers since the change
}

// answeredBySomebody reports whether a call was answered at all: what broke on its way says
// nothing of who would have.
func answeredBySomebody(c evidence.Class) bool {
	switch c {
	case evidence.OK, evidence.HTTP4xx, evidence.HTTP5xx, evidence.GRPCStatus:
		return true
	}
	return false
}

// lookBack is how long before a change answers are looked at, to see that the old
// version gave them.
const lookBack = 10 * time.Second

// answers goes through the calls of the load from shortly before the change on.
func (s *shift) answers() (a answers, err error) {
	q := evidence.Query{
		Fields: evidence.WithDone | evidence.WithClass | evidence.WithBackend,
		From:   max(1, s.at-lookBack), To: s.until,
	}
	err = eachCall(s.run, s.Load, q, func(c *evidence.Sample) {
		if !answeredBySomebody(c.Class) || c.Done > s.until {
			return
		}
		of := s.versions[c.Backend]
		switch {
		case c.Done < s.at:
			if of == oldSide {
				a.oldBefore++
			}
		case of == newSide:
			if a.new++; a.new == 1 || c.Done < a.firstNew {
				a.firstNew = c.Done
			}
		case of == oldSide:
			a.old++
			a.lastOld = max(a.lastOld, c.Done)
		default:
			a.stranger++
		}
	})
	return a, err
}

// known says why answers do not tell which version gave them; "" where they do.
func (s *shift) known() string {
	switch a := s.calls; {
	case s.noSides != "":
		return s.noSides
	case a.old+a.new+a.stranger == 0:
		return "no call was answered after the change"
	case a.old+a.new+a.oldBefore == 0:
		return "no answer names a Pod that is of one of the versions"
	case a.stranger > (a.old+a.new+a.stranger)/100:
		return several(a.stranger, "answer") + " after the change were of no Pod that is known"
	case a.oldBefore+a.old == 0:
		return "the old version answered no call, neither before the change nor after it"
	}
	return ""
}

// failed: calls of the phase that did not succeed.
func (s *shift) failed() Part {
	p := Part{Name: "failed calls", Limit: s.Failed.String()}
	_, stats, why := Phases{s.During}.calls(s.run, s.Load)
	switch {
	case why != "":
		return p.as(Inconclusive, "%s", why)
	case !answered(stats) && s.Failed.holds(0):
		return p.as(Inconclusive, "none of the %d calls was answered (%s); see that the target is reached", stats.Calls, breakdown(stats))
	}
	bad := outcomes{}.count(stats)
	p.Measured = several(bad, "call")
	if !s.Failed.holds(float64(bad)) {
		return p.as(Fail, "%d of %d calls failed: %s", bad, stats.Calls, breakdown(stats))
	}
	return p
}

// mixedCalls: from the first answer of the new version to the last of the old.
func (s *shift) mixedCalls() Part {
	p := Part{Name: "mixed answers", Limit: "<= " + s.MixedWithin.String()}
	if why := s.known(); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	if s.calls.new == 0 {
		return p.as(Inconclusive, "the new version answered no call")
	}
	return s.within(p, s.MixedWithin, max(0, s.calls.lastOld-s.calls.firstNew), s.calls.firstNew, "both versions answered calls for %s")
}

// switched: from the change to the last call that the old version answers.
func (s *shift) switched() Part {
	p := Part{Name: "switched", Limit: "<= " + s.SwitchWithin.String()}
	if why := s.known(); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	took := max(0, s.calls.lastOld-s.at)
	if s.calls.new == 0 {
		if s.until-s.at >= s.SwitchWithin && s.calls.old > 0 && took > s.SwitchWithin {
			p.Measured = "never"
			return p.as(Fail, "the new version answered no call in the %s after the change", formatDuration(s.until-s.at))
		}
		return p.as(Inconclusive, "the new version answered no call")
	}
	return s.within(p, s.SwitchWithin, took, s.at, "the old version answered calls until %s after the change")
}

// slight is how much less than what it may take something must be watched: phases
// begin a little before what is done in them.
const slight = time.Second

// within judges how long something took that began at a time. That it was short is
// not known where nobody looked for as long as it may take, unless by then nothing
// was left that it could be about.
func (s *shift) within(p Part, limit, took, from time.Duration, story string) Part {
	p.Measured = formatDuration(took)
	switch {
	case took > limit:
		return p.as(Fail, story, formatDuration(took))
	case s.until-from < limit-slight && (s.Service != "" || s.oldLeft()):
		return p.as(Inconclusive, "it was watched for %s only, less than it may take", formatDuration(s.until-from))
	}
	return p
}
