package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// probes: calls that reach the link in one half-open state. They are counted
// from the middle of the open state before it to the middle of the open state
// after it, when nothing else may arrive. Where it closes after it, calls flow
// at once: then there is a least and a greatest count. So there is where a
// connection was opened, which may bring a stream of its own.
func (q *inquiry) probes() Part {
	p := Part{Name: "probes bounded", Limit: fmt.Sprintf("<= %d", q.Probes)}
	if q.link == nil {
		return p.as(Inconclusive, "%s", q.noLink)
	}
	half := q.faulted(halfOpenState)
	if len(half) == 0 {
		return q.never(p)
	}
	counted, most := 0, 0
	for _, i := range half {
		least, greatest, ok := q.probed(i)
		if !ok {
			continue
		}
		if least > q.Probes {
			p.Measured = fmt.Sprint(least)
			return p.as(Fail, "%s reached %s in the half-open state at %s", several(least, "call"), q.Breaker.link(), formatDuration(q.line.stretches[i].start))
		}
		if greatest <= q.Probes {
			counted, most = counted+1, max(most, greatest)
		}
	}
	if counted == 0 {
		return p.as(Inconclusive, "no half-open state could be told from the calls before and after it")
	}
	p.Measured = fmt.Sprintf("at most %d, half-open %s", most, times(counted))
	return p
}

// probed bounds the calls that reached the link in a half-open stretch.
func (q *inquiry) probed(i int) (least, greatest int, ok bool) {
	all := q.line.stretches
	if i == 0 || all[i-1].state != openState || all[i-1].murky || all[i].startSlack > 0 || !all[i].ended {
		return 0, 0, false
	}
	before, half := all[i-1], all[i]
	from, ok := q.link.before(before.start, before.start+(before.end-before.start)/2)
	if drained := q.drained(before); !ok || from < drained {
		// The last reading before it became half-open, where calls under way took long to drain.
		if from, ok = q.link.before(drained, half.start-clockMargin); !ok {
			return 0, 0, false
		}
	}
	if half.next == openState {
		after := all[i+1]
		middle := after.start + (after.end-after.start)/2
		to, ok := q.link.after(middle, after.end-after.endSlack)
		if !ok || after.murky {
			return 0, 0, false
		}
		n := q.link.between(from, to)
		return max(0, n-q.link.fresh(from, to)), n - q.strangers(half.end+clockMargin, to), true
	}
	early, okEarly := q.link.before(from, half.end-half.endSlack-clockMargin)
	late, okLate := q.link.after(half.end+clockMargin, q.end)
	if !okEarly || !okLate {
		return 0, 0, false
	}
	return max(0, q.link.between(from, early)-q.link.fresh(from, early)), q.link.between(from, late), true
}

// strangers are the calls that reached the link from a time on when the breaker
// was open again, where no more of them came than connections were opened: then
// they are streams of those, and no probes.
func (q *inquiry) strangers(reopened, to time.Duration) int {
	if from, ok := q.link.after(reopened, to); ok {
		if n := q.link.between(from, to); n <= q.link.fresh(from, to) {
			return n
		}
	}
	return 0
}

// reopens: how often a half-open state failed while the fault acted.
func (q *inquiry) reopens() Part {
	p := Part{Name: "reopens", Limit: q.Reopens.String()}
	if q.line == nil {
		return q.never(p)
	}
	n := q.line.count(way{halfOpenState, openState}, q.inject, q.heal)
	p.Measured = fmt.Sprint(n)
	switch {
	case q.Reopens.holds(float64(n)):
		return p
	case !q.line.exact:
		return p.as(Inconclusive, "scrapes of its state may have missed some")
	}
	return p.as(Fail, "it went from half-open to open %s while the fault acted", times(n))
}

// closesWithin: from the heal to the change to closed after which it stays closed.
func (q *inquiry) closesWithin() Part {
	p := Part{Name: "closes within", Limit: "<= " + q.ClosesWithin.String()}
	if q.line == nil {
		return q.closesByCalls(p)
	}
	if !q.hasOpened {
		return q.never(p)
	}
	end := min(q.end, q.line.to)
	if watched := end - q.heal; q.line.state(end) != closedState {
		if watched < q.ClosesWithin {
			return p.as(Inconclusive, "it was watched for %s after the heal only, and had not closed", formatDuration(watched))
		}
		p.Measured = "never"
		return p.as(Fail, "it had not closed %s after the heal", formatDuration(watched))
	}
	closed := q.lastClosing(end)
	took := max(0, closed.at-q.heal)
	p.Measured = formatDuration(took)
	switch {
	case took <= q.ClosesWithin:
		return p
	case took-closed.slack <= q.ClosesWithin:
		return p.as(Inconclusive, "it closed between two scrapes, %s to %s after the heal", formatDuration(took-closed.slack), formatDuration(took))
	}
	return p.as(Fail, "it closed %s after the heal", p.Measured)
}

func (q *inquiry) lastClosing(end time.Duration) (last edge) {
	for _, e := range q.line.edges {
		if e.to == closedState && e.at <= end {
			last = e
		}
	}
	return last
}

// closesByCalls looks at what clients saw, where the breaker exports nothing:
// it cannot have closed before the last call was shed.
func (q *inquiry) closesByCalls(p Part) Part {
	if q.seen.shed == 0 {
		return q.never(p)
	}
	last := q.seen.lastShed - q.heal
	if last > q.ClosesWithin {
		p.Measured = "> " + formatDuration(last)
		return p.as(Fail, "a call was still shed %s after the heal", formatDuration(last))
	}
	return q.never(p)
}

// legalEdges: closed to open, open to half-open, half-open to open or closed,
// and nothing else; and each leads on from where the last one led to.
func (q *inquiry) legalEdges() Part {
	p := Part{Name: "legal edges", Limit: "closed→open→half-open→open or closed"}
	if q.line == nil {
		return q.never(p)
	}
	for i, e := range q.line.edges {
		legal := slices.Contains(legalWays, e.way)
		if !legal && q.line.exact {
			p.Measured = e.String()
			return p.as(Fail, "it went from %s to %s at %s", e.from, e.to, formatDuration(e.at))
		}
		if i == 0 || !q.line.exact {
			continue
		}
		before := q.line.edges[i-1]
		if before.to != e.from && !q.excused(before, e) {
			p.Measured = before.String() + ", " + e.String()
			return p.as(Fail, "at %s it left %s, which it had not entered: the change before, at %s, led to %s",
				formatDuration(e.at), e.from, formatDuration(before.at), before.to)
		}
	}
	p.Measured = several(len(q.line.edges), "change")
	if len(q.line.edges) == 0 {
		return p.as(Inconclusive, "no change of state was seen")
	}
	if !q.line.exact {
		for _, e := range q.line.edges {
			if !slices.Contains(legalWays, e.way) {
				return p.as(Inconclusive, "scrapes of its state are too far apart to see every change; one shows %s", e)
			}
		}
	}
	return p
}

// excused reports whether something that is not seen lies between two changes.
func (q *inquiry) excused(a, b edge) bool {
	if a.slack > 0 || b.slack > 0 {
		return true
	}
	for _, h := range q.line.hidden {
		if h.after < b.at && h.before >= a.at {
			return true
		}
	}
	for _, at := range q.line.restarts {
		if at >= a.at && at <= b.at {
			return true
		}
	}
	return false
}

// noFlapping: it opens once in an outage, and not again after it has closed.
func (q *inquiry) noFlapping() Part {
	p := Part{Name: "no flapping", Limit: "opens once"}
	if q.line == nil {
		return q.never(p)
	}
	n := q.line.count(way{closedState, openState}, q.inject-clockMargin, q.end)
	p.Measured = fmt.Sprintf("opened %s", times(n))
	switch {
	case n > 1:
		var at []string
		for _, e := range q.line.edges {
			if e.way == (way{closedState, openState}) && e.at >= q.inject-clockMargin && e.at < q.end {
				at = append(at, formatDuration(e.at))
			}
		}
		return p.as(Fail, "it closed and opened again %s, opening at %s", times(n-1), strings.Join(at[:min(len(at), 5)], ", "))
	case n == 0:
		return q.never(p)
	}
	if !q.line.exact {
		return p.as(Inconclusive, "scrapes of its state may have missed changes")
	}
	return p
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
