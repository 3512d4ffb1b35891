package verdict

import (
	"time"

	"ordeal/runner/evidence"
)

// linkLog is the counter of calls of the link behind a breaker, read every few
// ten milliseconds: what was really sent to the far side, answered or not.
type linkLog struct {
	series      evidence.Series
	connections evidence.Series // opened so far; empty where they were not counted
}

// A client may take so long from opening a connection to using it: it tries
// while the far side does not answer.
const connecting = 5 * time.Second

func readLink(run *evidence.Run, link string) (*linkLog, string) {
	all, err := matching(run, link, linkCalls, nil)
	if err != nil {
		return nil, err.Error()
	}
	if len(all) == 0 {
		return nil, linkCalls + " of " + link + " was never read"
	}
	l := &linkLog{series: all[0]}
	if opened, err := matching(run, link, "link_connections_total", nil); err != nil {
		return nil, err.Error()
	} else if len(opened) > 0 {
		l.connections = opened[0]
	}
	return l, ""
}

// fresh is how many connections may have come into use in a time. A gRPC client
// that watches the health of its servers opens one stream of its own on each,
// which is no call that passed the breaker.
func (l *linkLog) fresh(from, to time.Duration) int {
	return l.sum(l.connections.Between(from-connecting, to))
}

// inside counts the calls between the first and the last reading within a time,
// and says how much of it they cover; ok is false without two readings.
func (l *linkLog) inside(from, to time.Duration) (calls int, covered time.Duration, ok bool) {
	s := l.series.Between(from, to)
	if s.Len() < 2 {
		return 0, 0, false
	}
	return l.sum(s), s.T[s.Len()-1] - s.T[0], true
}

func (l *linkLog) sum(s evidence.Series) int {
	var n float64
	for i := 1; i < s.Len(); i++ {
		n += growth(s.V[i-1], s.V[i])
	}
	return int(n)
}

// before is the last reading in a time, after the first one; none is ok false.
func (l *linkLog) before(from, to time.Duration) (at time.Duration, ok bool) {
	s := l.series.Between(from, to)
	if s.Len() == 0 {
		return 0, false
	}
	return s.T[s.Len()-1], true
}

func (l *linkLog) after(from, to time.Duration) (at time.Duration, ok bool) {
	s := l.series.Between(from, to)
	if s.Len() == 0 {
		return 0, false
	}
	return s.T[0], true
}

// between counts the calls between two readings.
func (l *linkLog) between(from, to time.Duration) int {
	return l.sum(l.series.Between(from, to))
}
