package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

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
