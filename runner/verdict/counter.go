package verdict

import (
	"fmt"
	"time"

	"ordeal/runner/evidence"
)

// reading is a check that says which series it reads, so that they can be read
// together.
type reading interface{ reads() []evidence.SeriesName }

func seriesOf(checks []Check) (all []evidence.SeriesName) {
	for _, c := range checks {
		if r, ok := c.(reading); ok {
			all = append(all, r.reads()...)
		}
	}
	return all
}

// matching reads the series of a target that have the labels.
func matching(run *evidence.Run, target, name string, labels map[string]string) ([]evidence.Series, error) {
	all, err := run.Series(target, name)
	if err != nil {
		return nil, fmt.Errorf("reading series %s of %s: %w", name, target, err)
	}
	var found []evidence.Series
next:
	for _, s := range all {
		for k, want := range labels {
			if got, ok := s.Label(k); !ok || got != want {
				continue next
			}
		}
		if s.Len() > 0 {
			found = append(found, s)
		}
	}
	return found, nil
}

// counters are counter series together with the times at which their targets
// were scraped first. A series that comes later than that came into being at
// zero: exporters show a counter from its first count on.
type counters struct {
	series []evidence.Series
	first  map[string]time.Duration
}

func openCounters(run *evidence.Run, series []evidence.Series) (*counters, error) {
	first, err := run.FirstPoints()
	if err != nil {
		return nil, err
	}
	return &counters{series: series, first: first}, nil
}

// increase adds up how much the counters grew between two times. The values
// nearest to them are taken, which scrapes at phase boundaries bring close; why
// says so where there are none near.
func (c *counters) increase(from, to time.Duration) (total float64, why string) {
	for _, s := range c.series {
		n, why := c.one(s, from, to)
		if why != "" {
			return 0, why
		}
		total += n
	}
	return total, ""
}

// slackOf is how far from a time a value may lie to stand for it.
func slackOf(from, to time.Duration) time.Duration { return max(time.Second, (to-from)/10) }

func (c *counters) one(s evidence.Series, from, to time.Duration) (float64, string) {
	// A scrape at the end of a phase comes a moment after it.
	const moment = 100 * time.Millisecond
	slack := slackOf(from, to)
	bornLate := c.first[s.Target] < s.T[0]
	if bornLate && s.T[0] > to+moment {
		return 0, ""
	}
	first, last := nearest(s, from), nearest(s, to)
	base := s.V[first]
	switch {
	case bornLate && first == 0 && s.T[0] > from:
		base = 0
	case (s.T[first] - from).Abs() > slack:
		return 0, fmt.Sprintf("%s of %s was not read near %s, the start of what is judged", s.Name, s.Target, formatDuration(from))
	}
	if (s.T[last] - to).Abs() > slack {
		return 0, fmt.Sprintf("%s of %s was not read near %s, the end of what is judged", s.Name, s.Target, formatDuration(to))
	}
	var total float64
	for i := first; i <= last; i++ {
		total += growth(base, s.V[i])
		base = s.V[i]
	}
	return total, ""
}

// growth is the increase of a counter between two readings. A smaller value
// means that it began again at zero.
func growth(before, after float64) float64 {
	if after < before {
		return after
	}
	return after - before
}

// nearest is the index of the value nearest to a time, -1 in an empty series.
func nearest(s evidence.Series, at time.Duration) int {
	best := -1
	for i, t := range s.T {
		if best < 0 || (t-at).Abs() <= (s.T[best]-at).Abs() {
			best = i
		}
		if t > at {
			break
		}
	}
	return best
}
