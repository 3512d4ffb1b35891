package verdict

import (
	"fmt"
	"time"
)

// Fewer failed calls than this need not open a breaker, whatever it is set to.
const enoughFailures = 10

// opensWithin: from the injection of the fault to the first change to open.
func (q *inquiry) opensWithin() Part {
	p := Part{Name: "opens within", Limit: "<= " + q.OpensWithin.String()}
	at, slack := q.opened.at, q.opened.slack
	switch {
	case !q.hasOpened && q.line != nil && q.line.state(q.inject) == openState:
		return p.as(Inconclusive, "it was open before the fault was injected")
	case !q.hasOpened && q.seen.shed > 0:
		at, slack = q.seen.firstShed, 0 // the metrics do not show it, the calls do
	case !q.hasOpened && q.seen.failing < enoughFailures:
		return p.as(Inconclusive, "only %d of %d calls failed while the fault acted: it had no reason to open", q.seen.failing, q.seen.calls)
	case !q.hasOpened:
		p.Measured = "never"
		return p.as(Fail, "it never opened, while %d of %d calls failed and none was shed", q.seen.failing, q.seen.calls)
	}
	took := max(0, at-q.inject)
	p.Measured = formatDuration(took)
	switch {
	case took <= q.OpensWithin:
		return p
	case took-slack <= q.OpensWithin:
		return p.as(Inconclusive, "it opened between two scrapes, %s to %s after the injection", formatDuration(took-slack), formatDuration(took))
	}
	return p.as(Fail, "it opened %s after the fault was injected", p.Measured)
}

// sheds: of the calls that met an open breaker, the share that was rejected.
func (q *inquiry) sheds() Part {
	p := Part{Name: "sheds", Limit: ">= " + q.Sheds.String()}
	open := q.faulted(openState)
	if len(open) == 0 {
		return q.never(p)
	}
	var all inState
	for _, i := range open {
		c := q.seen.within[i]
		all.shed, all.passed, all.unclear = all.shed+c.shed, all.passed+c.passed, all.unclear+c.unclear
	}
	sure := all.shed + all.passed
	if sure < enoughFailures {
		return p.as(Inconclusive, "%s sent and answered while it was open", were(sure))
	}
	share := float64(all.shed) / float64(sure)
	p.Measured = formatShare(share)
	switch {
	case share < float64(*q.Sheds)-1e-9:
		return p.as(Fail, "%d of %d calls sent while it was open were not rejected", all.passed, sure)
	case float64(all.unclear) > max(3, 0.05*float64(sure)):
		return p.as(Inconclusive, "%d calls sent while it was open were answered only after that, so which state they met is not known", all.unclear)
	}
	return p
}

// leaks: calls that reached the link while the breaker was open, once those
// that were under way had drained.
func (q *inquiry) leaks() Part {
	limit := limit{text: "= 0", lowIn: true, highIn: true, unit: counts}
	if q.Leaks != nil {
		limit = q.Leaks.limit
	}
	p := Part{Name: "no leaks", Limit: limit.String()}
	if q.link == nil {
		return p.as(Inconclusive, "%s", q.noLink)
	}
	open := q.faulted(openState)
	if len(open) == 0 {
		return q.never(p)
	}
	leaked, fresh, covered := 0, 0, time.Duration(0)
	for _, i := range open {
		s := q.line.stretches[i]
		from, to := q.drained(s), s.end-s.endSlack-clockMargin
		if n, d, ok := q.link.inside(from, to); ok {
			leaked, fresh, covered = leaked+n, fresh+min(n, q.link.fresh(from, to)), covered+d
		}
	}
	if covered < 200*time.Millisecond {
		return p.as(Inconclusive, "the link's counter was read for %s only while it was open", formatDuration(covered))
	}
	p.Measured = fmt.Sprintf("%s in %s", several(leaked, "call"), formatDuration(covered))
	switch {
	case limit.holds(float64(leaked)):
		return p
	case limit.holds(float64(leaked - fresh)):
		return p.as(Pass, "%d streams may be those that watch health, one on each connection newly opened", fresh)
	}
	return p.as(Fail, "%s reached %s while it was open", several(leaked, "call"), q.Breaker.link())
}

// rejectLimit is how long a rejection may take.
func (b *Breaker) rejectLimit() time.Duration {
	if b.RejectsWithin > 0 {
		return b.RejectsWithin
	}
	return 250 * time.Millisecond
}

// rejectsFast: a rejection that takes as long as a call is none. The 90th
// percentile is judged, because a moment in which the machine stands still is
// more than one in a hundred of the rejections of an outage.
func (q *inquiry) rejectsFast() Part {
	most := q.rejectLimit()
	p := Part{Name: "rejects fast", Limit: "p90 <= " + most.String()}
	n := q.seen.times.TotalCount()
	if n < enoughFailures {
		return p.as(Inconclusive, "%s rejected", were(n))
	}
	took := time.Duration(q.seen.times.ValueAtPercentile(90))
	p.Measured = formatDuration(took)
	share, bunched := q.seen.spells()
	switch {
	case took <= most:
		return p
	case bunched && share <= 0.25:
		return p.as(Pass, "rejections were slow in %s of the time only, and fast in all the rest: something stood still", formatShare(share))
	case bunched && share <= 0.5:
		return p.as(Inconclusive, "rejections were slow in %s of the time, and fast in all the rest: something stood still", formatShare(share))
	}
	return p.as(Fail, "the 90th percentile of %d rejected calls took %s", n, p.Measured)
}

// staysOpen: at least the configured wait, and not much longer as long as calls come.
func (q *inquiry) staysOpen() Part {
	gap := q.Gap
	if gap == 0 {
		gap = time.Second
	}
	p := Part{Name: "stays open", Limit: fmt.Sprintf("%s..%s", q.Open, q.Open+gap)}
	var shortest, longest time.Duration
	n := 0
	for _, i := range q.faulted(openState) {
		s := q.line.stretches[i]
		if !s.ended || s.endSlack > 0 || s.startSlack > 0 || q.restartedIn(s) {
			continue
		}
		took := s.end - s.start
		if n == 0 || took < shortest {
			shortest = took
		}
		n++
		longest = max(longest, took)
		if took > q.Open+gap && q.seen.within[i].lastShedSent <= s.start+q.Open+gap {
			return p.as(Inconclusive, "it was open for %s, but no call came that could have ended that", formatDuration(took))
		}
	}
	if n == 0 {
		p := q.never(p)
		if q.hasOpened && q.line.exact {
			p.Why = "it was not seen to go from open to half-open"
		}
		return p
	}
	p.Measured = fmt.Sprintf("%s to %s, %s", formatDuration(shortest), formatDuration(longest), times(n))
	switch {
	case shortest < q.Open-2*clockMargin:
		return p.as(Fail, "it was open for %s only", formatDuration(shortest))
	case longest > q.Open+gap:
		return p.as(Fail, "it was open for %s although calls came", formatDuration(longest))
	}
	return p
}

func (q *inquiry) restartedIn(s stretch) bool {
	for _, at := range q.line.restarts {
		if at >= s.start && at <= s.end {
			return true
		}
	}
	return false
}
