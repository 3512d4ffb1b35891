package verdict

import (
	"fmt"
	"slices"

	"ordeal/runner/evidence"
)

// metricAgrees: what the breaker exports, and what its calls show, is the same
// story.
func (q *inquiry) metricAgrees() Part {
	p := Part{Name: "metric agrees"}
	if q.line == nil {
		if q.seen.shed > 0 {
			return p.as(Inconclusive, "%s, while %d calls were shed", q.noLine, q.seen.shed)
		}
		return q.never(p)
	}
	if n := q.line.disagree; float64(n) > max(1, 0.02*float64(q.line.scrapes)) {
		p.Measured = fmt.Sprintf("%d of %d scrapes differ", n, q.line.scrapes)
		return p.as(Fail, "in %d of %d scrapes breaker_state is not the state that the last exported change led to", n, q.line.scrapes)
	}
	if p, bad := q.behaviour(p); bad {
		return p
	}
	return q.rejected(p)
}

// behaviour compares the exported state with what happened to the calls that met it.
func (q *inquiry) behaviour(p Part) (Part, bool) {
	var closed, open inState
	for i, s := range q.line.stretches {
		c := q.seen.within[i]
		switch {
		case s.murky || q.restartedIn(s):
		case s.state == closedState:
			closed.shed, closed.passed = closed.shed+c.shed, closed.passed+c.passed
		case s.state == openState:
			open.shed, open.passed = open.shed+c.shed, open.passed+c.passed
		}
	}
	if n := closed.shed + closed.passed; float64(closed.shed) > max(2, 0.01*float64(n)) {
		p.Measured = fmt.Sprintf("%d shed while closed", closed.shed)
		return p.as(Fail, "%d of %d calls were shed while the metrics say that it was closed", closed.shed, n), true
	}
	if n := open.shed + open.passed; n >= enoughFailures && open.shed*2 < n {
		p.Measured = fmt.Sprintf("%d not shed while open", open.passed)
		return p.as(Fail, "%d of %d calls were not shed while the metrics say that it was open", open.passed, n), true
	}
	return p, false
}

// rejected compares the breaker's own counter of rejected calls with the calls
// that clients saw shed.
func (q *inquiry) rejected(p Part) Part {
	all, err := matching(q.run, q.Target, "breaker_calls_total", map[string]string{"result": "rejected"})
	if err != nil {
		return p.as(Inconclusive, "%v", err)
	}
	mine := ofBreaker(all, q.label(), q.Name != "")
	if len(mine) == 0 {
		if q.seen.shedScraped > 0 {
			return p.as(Inconclusive, "%s exports no breaker_calls_total with result rejected to compare %d shed calls with", q.Target, q.seen.shedScraped)
		}
		p.Measured = "states agree"
		return p
	}
	var counted float64
	for i := 1; i < mine[0].Len(); i++ {
		counted += growth(mine[0].V[i-1], mine[0].V[i])
	}
	shed := float64(q.seen.shedScraped)
	p.Measured = fmt.Sprintf("%.0f rejected, %.0f shed", counted, shed)
	room := max(5, 0.05*max(counted, shed))
	// A call that failed as it opened may have been retried, and that be rejected.
	more := room + float64(q.seen.unseen+q.seen.straddled)
	switch {
	case counted < shed-room:
		return p.as(Fail, "the breaker counts %.0f rejected calls, but clients saw %.0f shed", counted, shed)
	case counted > shed+more && !q.otherCallers():
		return p.as(Fail, "the breaker counts %.0f rejected calls, but clients saw only %.0f shed", counted, shed)
	case q.line.clock:
		return p.as(Inconclusive, "the exported times of changes do not fit the scrapes: the target's clock differs")
	}
	return p
}

// otherCallers reports whether somebody else than the load calls the target too.
func (q *inquiry) otherCallers() bool {
	return slices.ContainsFunc(q.run.Meta.Links, func(l evidence.LinkMeta) bool { return l.To == q.Target && l.From != "client" })
}
