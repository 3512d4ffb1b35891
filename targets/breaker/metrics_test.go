package breaker

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
)

func TestFreshBreakerExportsEveryEdge(t *testing.T) {
	b, _ := make10(t, nil)
	want := `
# HELP breaker_calls_total Calls by result: success, slow (succeeded too late), failure, ignored, rejected.
# TYPE breaker_calls_total counter
breaker_calls_total{breaker="users",result="failure"} 0
breaker_calls_total{breaker="users",result="ignored"} 0
breaker_calls_total{breaker="users",result="rejected"} 0
breaker_calls_total{breaker="users",result="slow"} 0
breaker_calls_total{breaker="users",result="success"} 0
# HELP breaker_last_transition_timestamp_seconds Unix time of the last such change of state, 0 when there was none.
# TYPE breaker_last_transition_timestamp_seconds gauge
breaker_last_transition_timestamp_seconds{breaker="users",from="closed",to="open"} 0
breaker_last_transition_timestamp_seconds{breaker="users",from="half-open",to="closed"} 0
breaker_last_transition_timestamp_seconds{breaker="users",from="half-open",to="open"} 0
breaker_last_transition_timestamp_seconds{breaker="users",from="open",to="half-open"} 0
# HELP breaker_state State of the circuit breaker: 0 closed, 1 open, 2 half-open.
# TYPE breaker_state gauge
breaker_state{breaker="users"} 0
# HELP breaker_transitions_total Changes of state.
# TYPE breaker_transitions_total counter
breaker_transitions_total{breaker="users",from="closed",to="open"} 0
breaker_transitions_total{breaker="users",from="half-open",to="closed"} 0
breaker_transitions_total{breaker="users",from="half-open",to="open"} 0
breaker_transitions_total{breaker="users",from="open",to="half-open"} 0
`
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(b))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&page, f); err != nil {
			t.Fatal(err)
		}
	}
	if got := page.String(); got != want[1:] {
		t.Errorf("the page is\n%s\nwant%s", got, want)
	}
	if problems, err := promlint.NewWithMetricFamilies(families).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestMetricsFollowTheBreaker(t *testing.T) {
	b, c := make10(t, nil)
	other, _ := make10(t, func(c *Config) { c.Name = "orders" })
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(b, other))

	calls(t, b, "ssssi")
	c.advance(1234567 * time.Nanosecond)
	calls(t, b, "ffffff")
	openedAt := c.now()
	wantRefused(t, b)
	wantRefused(t, b)
	want := map[string]float64{
		"breaker_state users":                            1,
		"breaker_state orders":                           0,
		"breaker_calls_total users success":              4,
		"breaker_calls_total users failure":              6,
		"breaker_calls_total users ignored":              1,
		"breaker_calls_total users rejected":             2,
		"breaker_calls_total orders rejected":            0,
		"breaker_transitions_total users closed open":    1,
		"breaker_transitions_total users open half-open": 0,
	}
	got := gather(t, registry)
	for series, value := range want {
		if v, ok := got[series]; !ok || v != value {
			t.Errorf("%s is %v, want %v", series, v, value)
		}
	}
	at := got["breaker_last_transition_timestamp_seconds users closed open"]
	if off := math.Abs(at - float64(openedAt.UnixNano())/1e9); off > 1e-6 {
		t.Errorf("opened at %f, want %d ns: off by %v s", at, openedAt.UnixNano(), off)
	}

	c.advance(b.cfg.OpenFor * 2)
	if v := gather(t, registry)["breaker_state users"]; v != 1 || b.State() != Open {
		t.Errorf("scraping an open breaker whose time is up says %v and leaves it %v", v, b.State())
	}
	calls(t, b, "s")
	got = gather(t, registry)
	if got["breaker_transitions_total users open half-open"] != 1 ||
		got["breaker_transitions_total users half-open closed"] != 1 || got["breaker_state users"] != 0 {
		t.Errorf("after recovery the metrics are %v", got)
	}
}

// gather returns each series as its name and label values, in the order of breaker, from, to or result.
func gather(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}
