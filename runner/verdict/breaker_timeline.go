package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// readTimeline reconstructs the states of a breaker. missing says why there is
// nothing to reconstruct them from.
func readTimeline(run *evidence.Run, target, breaker string, named bool) (line *timeline, missing string) {
	read := func(name string) ([]evidence.Series, error) {
		all, err := matching(run, target, name, nil)
		return ofBreaker(all, breaker, named), err
	}
	state, err := read("breaker_state")
	if err != nil {
		return nil, err.Error()
	}
	totals, err := read("breaker_transitions_total")
	if err != nil {
		return nil, err.Error()
	}
	last, err := read("breaker_last_transition_timestamp_seconds")
	if err != nil {
		return nil, err.Error()
	}
	if len(state) == 0 && len(totals) == 0 {
		return nil, fmt.Sprintf("%s exports no breaker_state and no breaker_transitions_total of a breaker %s", target, breaker)
	}
	if replicas := targetsOf(append(slices.Clone(state), totals...)); len(replicas) > 1 {
		return nil, fmt.Sprintf("%s have a breaker each, and a call does not say which of them it passed", strings.Join(replicas, " and "))
	}
	line = &timeline{exact: len(totals) > 0}
	line.readRestarts(run, target)
	for _, s := range slices.Concat(state, totals) {
		line.seen(s)
	}
	if line.exact {
		line.readTransitions(run, totals, last)
		line.compareState(state, totals, last)
	} else {
		line.readState(state[0])
	}
	line.order()
	line.lay(initialState(state, line.edges))
	return line, ""
}

// ofBreaker keeps the series of one breaker. A breaker whose name was not given
// in the scenario is also the only one that there is.
func ofBreaker(all []evidence.Series, breaker string, named bool) []evidence.Series {
	name := func(s evidence.Series) string { n, _ := s.Label("breaker"); return n }
	only := !named
	for _, s := range all {
		only = only && name(s) == name(all[0])
	}
	var mine []evidence.Series
	for _, s := range all {
		if only || name(s) == breaker {
			mine = append(mine, s)
		}
	}
	return mine
}

func targetsOf(all []evidence.Series) []string {
	var names []string
	for _, s := range all {
		if !slices.Contains(names, s.Target) {
			names = append(names, s.Target)
		}
	}
	slices.Sort(names)
	return names
}

func wayOf(s evidence.Series) way {
	from, _ := s.Label("from")
	to, _ := s.Label("to")
	return way{from, to}
}

func (l *timeline) readRestarts(run *evidence.Run, target string) {
	for _, e := range run.Events {
		if e.Kind == evidence.TargetStart && e.Target == target && e.At > run.Meta.Start {
			l.restarts = append(l.restarts, e.At)
		}
	}
}

// seen widens what is known to have been scraped.
func (l *timeline) seen(s evidence.Series) {
	if s.Len() == 0 {
		return
	}
	if l.to == 0 {
		l.from, l.to = s.T[0], s.T[len(s.T)-1]
	}
	l.from, l.to = min(l.from, s.T[0]), max(l.to, s.T[len(s.T)-1])
}

// readTransitions finds each change of state from the growth of its counter; the
// exported time of the last one says when it was.
func (l *timeline) readTransitions(run *evidence.Run, totals, last []evidence.Series) {
	for _, s := range totals {
		times := sameWay(last, wayOf(s))
		var before float64
		var stampBefore float64
		previous := s.T[0] - usualGap(s)
		for i, v := range s.V {
			stamp, stamped := 0.0, false
			if times != nil {
				stamp, stamped = times.At(s.T[i])
			}
			n := int(growth(before, v))
			if n == 0 && v > 0 && stamped && stamp > stampBefore && i > 0 {
				n = int(v) // the counter began again and is where it was
			}
			if n > 0 {
				l.addEdge(run, wayOf(s), n, stamp, stamped && stamp > 0, previous, s.T[i], s.T[i] <= l.from)
			}
			before, stampBefore, previous = v, stamp, s.T[i]
		}
	}
}

// usualGap is the mean time between scrapes: a series that comes into being
// later than others did so since the scrape before.
func usualGap(s evidence.Series) time.Duration {
	if s.Len() < 2 {
		return time.Second
	}
	return (s.T[s.Len()-1] - s.T[0]) / time.Duration(s.Len()-1)
}

func sameWay(all []evidence.Series, w way) *evidence.Series {
	for i := range all {
		if wayOf(all[i]) == w {
			return &all[i]
		}
	}
	return nil
}

// addEdge notes n changes between two scrapes, the last of them at its exported time.
func (l *timeline) addEdge(run *evidence.Run, w way, n int, stamp float64, stamped bool, previous, scraped time.Duration, first bool) {
	// A scrape takes time, and which moment of it counts as its time is open.
	const scraping = time.Second
	e := edge{way: w, at: scraped, slack: scraped - previous}
	if first {
		previous = -time.Hour // before what was watched
		e.slack = 0
	}
	if stamped {
		at := time.Duration((stamp - float64(run.Meta.Base.UnixNano())/1e9) * float64(time.Second))
		if at > previous-scraping && at < scraped+scraping {
			e.at, e.slack = at, 0
		} else {
			l.clock = true
		}
	}
	l.edges = append(l.edges, e)
	if n > 1 && !first {
		l.hidden = append(l.hidden, hidden{way: w, n: n - 1, after: previous, before: e.at})
	}
}

// readState finds changes in the state itself, where nothing better is exported.
func (l *timeline) readState(s evidence.Series) {
	for i := 1; i < s.Len(); i++ {
		from, to := stateName(s.V[i-1]), stateName(s.V[i])
		if from == to {
			continue
		}
		w := way{from, to}
		slack := s.T[i] - s.T[i-1]
		if !slices.Contains(legalWays, w) {
			// Scraping is too slow to see everything: it may have been half-open in between.
			l.hidden = append(l.hidden, hidden{way: w, n: 1, after: s.T[i-1], before: s.T[i]})
		}
		l.edges = append(l.edges, edge{way: w, at: s.T[i], slack: slack})
	}
	l.scrapes = s.Len()
}

func stateName(v float64) string {
	if i := int(v); float64(i) == v && i >= 0 && i < len(stateNames) {
		return stateNames[i]
	}
	return fmt.Sprintf("state %g", v)
}

// compareState counts the scrapes whose state is not where the last change led
// to. A scrape shows both as they were at one instant.
func (l *timeline) compareState(state, totals, last []evidence.Series) {
	for _, s := range state {
		for i, t := range s.T {
			want, stamp := closedState, 0.0
			for k := range totals {
				if n, ok := totals[k].At(t); !ok || n == 0 {
					continue
				}
				times := sameWay(last, wayOf(totals[k]))
				if times == nil {
					return // without times the last change is not known
				}
				if at, ok := times.At(t); ok && at > stamp {
					want, stamp = wayOf(totals[k]).to, at
				}
			}
			l.scrapes++
			if stateName(s.V[i]) != want {
				l.disagree++
			}
		}
	}
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
