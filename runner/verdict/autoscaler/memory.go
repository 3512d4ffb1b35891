package autoscaler

import (
	"math"
	"slices"
	"time"
)

// Memory is what the controller keeps from one synchronisation to the next. The
// zero Memory is that of a controller that has just started.
type Memory struct {
	recommended []stamped
	added       []stamped
	removed     []stamped
}

// stamped is a number of replicas at a time.
type stamped struct {
	replicas int32
	at       time.Time
}

// longest is the longest window that the API allows.
const longest = time.Hour

// begin takes the replicas that are there for its first recommendation.
func (m Memory) begin(s State) Memory {
	if m.recommended == nil {
		m.recommended = []stamped{{s.Wanted, s.At}}
	}
	return m
}

// recommend remembers a recommendation, and forgets those that no window reaches.
func (m Memory) recommend(set Settings, at time.Time, replicas int32) Memory {
	reach, old := max(longest, set.DownscaleStabilization), 0
	for old < len(m.recommended) && at.Sub(m.recommended[old].at) > reach {
		old++
	}
	m.recommended = append(slices.Clone(m.recommended[old:]), stamped{replicas, at})
	return m
}

// Scaled remembers a change of replicas, for the policies.
func (m Memory) Scaled(spec Spec, s State, to int32) Memory {
	switch {
	case spec.Behavior == nil:
	case to > s.Wanted:
		m.added = spec.Behavior.Up.with(m.added, stamped{to - s.Wanted, s.At})
	case to < s.Wanted:
		m.removed = spec.Behavior.Down.with(m.removed, stamped{s.Wanted - to, s.At})
	}
	return m
}

// with gives a list of changes with one more, in memory of its own. As the
// controller does, it forgets for it one change that no policy of its direction
// looks at any more, even where one of the other direction still would.
func (r Rules) with(changes []stamped, one stamped) []stamped {
	var period time.Duration
	for _, p := range r.Policies {
		period = max(period, p.Period)
	}
	changes = slices.Clone(changes)
	for i, c := range slices.Backward(changes) {
		if c.at.Before(one.at.Add(-period)) {
			changes[i] = one
			return changes
		}
	}
	return append(changes, one)
}

// highest is the highest recommendation since a time, or at it too.
func (m Memory) highest(since time.Time, atToo bool) int32 {
	var most int32
	for _, r := range m.recommended {
		if r.at.After(since) || atToo && r.at.Equal(since) {
			most = max(most, r.replicas)
		}
	}
	return most
}

// lowest is the lowest recommendation after a time.
func (m Memory) lowest(since time.Time) int32 {
	least := int32(math.MaxInt32)
	for _, r := range m.recommended {
		if r.at.After(since) {
			least = min(least, r.replicas)
		}
	}
	return least
}

// steady brings the replicas that there are between the lowest recommendation
// of the one window and the highest of the other.
func (m Memory) steady(set Settings, b Behavior, s State, proposed int32) int32 {
	up, down := b.Windows(set)
	atLeast := min(proposed, m.lowest(s.At.Add(-up)))
	atMost := max(proposed, m.highest(s.At.Add(-down), false))
	return min(max(s.Wanted, atLeast), atMost)
}

// Windows are how long recommendations count on the way up and down.
func (b Behavior) Windows(set Settings) (up, down time.Duration) {
	// The API counts whole seconds.
	down = set.DownscaleStabilization.Truncate(time.Second)
	if b.Up.Window != nil {
		up = *b.Up.Window
	}
	if b.Down.Window != nil {
		down = *b.Down.Window
	}
	return up, down
}
