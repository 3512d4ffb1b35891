package verdict

import (
	"cmp"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// The states of a breaker, as its metrics name them.
const (
	closedState   = "closed"
	openState     = "open"
	halfOpenState = "half-open"
)

// stateNames are the values of breaker_state.
var stateNames = []string{closedState, openState, halfOpenState}

// way is a change of state.
type way struct{ from, to string }

func (w way) String() string { return w.from + "→" + w.to }

var legalWays = []way{
	{closedState, openState}, {openState, halfOpenState}, {halfOpenState, openState}, {halfOpenState, closedState},
}

// edge is one change of state that happened at a known time.
type edge struct {
	way
	at    time.Duration
	slack time.Duration // it may have been so much earlier: 0 where the exact time was exported
}

// hidden are changes of state of which only the count is known: the same edge
// came again before the next scrape.
type hidden struct {
	way
	n             int
	after, before time.Duration
}

// stretch is a time in one state.
type stretch struct {
	state      string
	start, end time.Duration
	// startSlack and endSlack say by how much either end may have been earlier.
	startSlack, endSlack time.Duration
	began, ended         bool // its ends are changes of state, not the ends of what is known
	murky                bool // hidden changes fall into it, so it may be several
	next                 string
}

// timeline is what a breaker's exported metrics say of its states.
type timeline struct {
	edges     []edge
	hidden    []hidden
	stretches []stretch
	from, to  time.Duration // first and last scrape
	exact     bool          // changes of state carry their own times
	disagree  int           // scrapes in which the state is not the one that the changes lead to
	scrapes   int
	clock     bool            // exported times do not fit the scrapes: another clock
	restarts  []time.Duration // when the breaker's process was started anew
}

func initialState(state []evidence.Series, edges []edge) string {
	if len(edges) > 0 {
		return edges[0].from
	}
	if len(state) > 0 && state[0].Len() > 0 {
		return stateName(state[0].V[0])
	}
	return closedState
}

// order sorts the changes by time. Where times are equal or not exact, one that
// leads on from the state so far comes first.
func (l *timeline) order() {
	slices.SortStableFunc(l.edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i+1 < len(l.edges); i++ {
		a, b := l.edges[i], l.edges[i+1]
		tied := a.at == b.at || a.slack > 0 && b.slack > 0 && b.at-b.slack < a.at
		if tied && l.edges[i-1].to != a.from && l.edges[i-1].to == b.from {
			l.edges[i], l.edges[i+1] = b, a
		}
	}
}

// lay makes stretches of the changes.
func (l *timeline) lay(initial string) {
	at := stretch{state: initial, start: min(l.from, firstAt(l.edges, l.from))}
	for _, e := range l.edges {
		at.end, at.endSlack, at.ended, at.next = e.at, e.slack, true, e.to
		l.stretches = append(l.stretches, at)
		at = stretch{state: e.to, start: e.at, startSlack: e.slack, began: true}
	}
	at.end = max(l.to, at.start)
	l.stretches = append(l.stretches, at)
	for i := range l.stretches {
		s := &l.stretches[i]
		s.murky = slices.ContainsFunc(l.hidden, func(h hidden) bool { return h.after < s.end && h.before > s.start })
	}
}

func firstAt(edges []edge, otherwise time.Duration) time.Duration {
	if len(edges) == 0 {
		return otherwise
	}
	return edges[0].at
}

// state is the state at a time.
func (l *timeline) state(at time.Duration) string {
	for i := len(l.stretches) - 1; i >= 0; i-- {
		if l.stretches[i].start <= at {
			return l.stretches[i].state
		}
	}
	return ""
}

// first is the first change of a kind from a time on.
func (l *timeline) first(w way, from time.Duration) (edge, bool) {
	for _, e := range l.edges {
		if e.way == w && e.at >= from {
			return e, true
		}
	}
	return edge{}, false
}

// count is how many changes of a kind there were in a time, those included of
// which only the count is known.
func (l *timeline) count(w way, from, to time.Duration) int {
	n := 0
	for _, e := range l.edges {
		if e.way == w && e.at >= from && e.at < to {
			n++
		}
	}
	for _, h := range l.hidden {
		if h.way == w && h.before > from && h.before <= to {
			n += h.n
		}
	}
	return n
}
