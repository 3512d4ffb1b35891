package podmetrics

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// rateAnnotation, with the name of a metric, names the counter of the Pod whose rate it is to be. The rate is 0 as long
// as the counter is not there: one with labels appears with the first thing that it counts.
const rateAnnotation = "localkube.ordeal/rate."

// rate is the growth of a counter each second.
type rate struct {
	counter string
	except  map[string]string // labels of series that do not count
}

// named are rates with names of their own. Every other counter X_total has its rate as X_per_second.
func named() map[string]rate {
	return map[string]rate{
		// Answers of the gateway.
		"http_requests_per_second": {counter: "http_requests_total"},
		// Answers of the user service, and of every server in Go with the usual interceptors; probes of its health are no load.
		"grpc_requests_per_second": {counter: "grpc_server_handled_total", except: map[string]string{"grpc_service": "grpc.health.v1.Health"}},
	}
}

// ratesOf are the rates that a Pod has, by name.
func ratesOf(p *corev1.Pod, families map[string]*dto.MetricFamily) map[string]rate {
	all := map[string]rate{}
	for name, family := range families {
		if stem, ok := strings.CutSuffix(name, "_total"); ok && family.GetType() == dto.MetricType_COUNTER {
			all[stem+"_per_second"] = rate{counter: name}
		}
	}
	for name, r := range named() {
		if f := families[r.counter]; f != nil && f.GetType() == dto.MetricType_COUNTER {
			all[name] = r
		}
	}
	for key, counter := range p.Annotations {
		if name, ok := strings.CutPrefix(key, rateAnnotation); ok && name != "" {
			all[name] = rate{counter: counter}
		}
	}
	return all
}

// value is a metric of a Pod: the rate of a counter between the two last scrapes, or a gauge as it was at the last,
// summed over the series that the selector selects. It reports whether there is one.
func (s *scrapes) value(p *corev1.Pod, name string, selector labels.Selector) (value float64, isRate, ok bool) {
	if r, isRate := ratesOf(p, s.last)[name]; isRate {
		if s.before.IsZero() {
			return 0, true, false
		}
		// A series that was not there before has begun at 0 since.
		grown := sum(s.last[r.counter], selector, r.except) - sum(s.former[r.counter], selector, r.except)
		return max(grown, 0) / s.at.Sub(s.before).Seconds(), true, true
	}
	if f := s.last[name]; f != nil && f.GetType() == dto.MetricType_GAUGE {
		return sum(f, selector, nil), false, true
	}
	return 0, false, false
}

// names are all metrics of a Pod.
func (s *scrapes) names(p *corev1.Pod) []string {
	names := slices.Collect(maps.Keys(ratesOf(p, s.last)))
	for name, f := range s.last {
		if f.GetType() == dto.MetricType_GAUGE {
			names = append(names, name)
		}
	}
	return names
}

// sum adds the series of a family that the selector selects, less those with one of the labels except.
func sum(f *dto.MetricFamily, selector labels.Selector, except map[string]string) float64 {
	total := 0.0
series:
	for _, m := range f.GetMetric() {
		set := labels.Set{}
		for _, l := range m.GetLabel() {
			if value, ok := except[l.GetName()]; ok && value == l.GetValue() {
				continue series
			}
			set[l.GetName()] = l.GetValue()
		}
		if selector == nil || selector.Matches(set) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}
