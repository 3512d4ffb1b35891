package breaker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector exports breakers. It reads snapshots: a scrape never changes a state.
type collector struct {
	breakers                       []*Breaker
	state, transitions, last, call *prometheus.Desc
}

// NewCollector exports the breakers, told apart by their names, as
//
//	breaker_state{breaker}                                       0 closed, 1 open, 2 half-open
//	breaker_transitions_total{breaker,from,to}                   every legal edge, from the start
//	breaker_last_transition_timestamp_seconds{breaker,from,to}   Unix time, 0: never
//	breaker_calls_total{breaker,result}                          success, slow, failure, ignored, rejected
//
// A call is in one result only; slow is a call that succeeded, but too late.
func NewCollector(breakers ...*Breaker) prometheus.Collector {
	return &collector{
		breakers: breakers,
		state: prometheus.NewDesc("breaker_state",
			"State of the circuit breaker: 0 closed, 1 open, 2 half-open.", []string{"breaker"}, nil),
		transitions: prometheus.NewDesc("breaker_transitions_total",
			"Changes of state.", []string{"breaker", "from", "to"}, nil),
		last: prometheus.NewDesc("breaker_last_transition_timestamp_seconds",
			"Unix time of the last such change of state, 0 when there was none.", []string{"breaker", "from", "to"}, nil),
		call: prometheus.NewDesc("breaker_calls_total",
			"Calls by result: success, slow (succeeded too late), failure, ignored, rejected.", []string{"breaker", "result"}, nil),
	}
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.transitions, c.last, c.call} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for _, b := range c.breakers {
		s := b.Snapshot()
		ch <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, float64(s.State), s.Name)
		for _, e := range s.Edges {
			from, to := e.From.String(), e.To.String()
			ch <- prometheus.MustNewConstMetric(c.transitions, prometheus.CounterValue, float64(e.Count), s.Name, from, to)
			ch <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, unixSeconds(e.Last), s.Name, from, to)
		}
		for _, r := range []struct {
			result string
			calls  uint64
		}{
			{"success", s.Succeeded}, {"slow", s.TooSlow}, {"failure", s.Failed}, {"ignored", s.Ignored}, {"rejected", s.Rejected},
		} {
			ch <- prometheus.MustNewConstMetric(c.call, prometheus.CounterValue, float64(r.calls), s.Name, r.result)
		}
	}
}

// unixSeconds keeps fractions: a float64 of this size resolves a quarter of a microsecond.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}
