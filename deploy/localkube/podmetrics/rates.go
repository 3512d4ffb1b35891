package podmetrics

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// rateAnnotation, with the name of a metric, names the counter of the Pod whose rate it is to be.
const rateAnnotation = "localkube.ordeal/rate."

// rates are metrics with names of their own: the counter of each. Every other counter X_total has its rate as
// X_per_second.
func rates() map[string]string {
	return map[string]string{
		"http_requests_per_second": "http_requests_total",       // answers of the gateway
		"grpc_requests_per_second": "grpc_server_handled_total", // answers of the user service, and of gRPC servers in Go
	}
}

// ratesOf are the rates that a Pod has by name, and the counter of each.
func ratesOf(p *corev1.Pod, families map[string]*dto.MetricFamily) map[string]string {
	all := map[string]string{}
	for name, family := range families {
		if stem, ok := strings.CutSuffix(name, "_total"); ok && family.GetType() == dto.MetricType_COUNTER {
			all[stem+"_per_second"] = name
		}
	}
	own := rates()
	for key, counter := range p.Annotations {
		if name, ok := strings.CutPrefix(key, rateAnnotation); ok {
			own[name] = counter
		}
	}
	for name, counter := range own {
		if f := families[counter]; f != nil && f.GetType() == dto.MetricType_COUNTER {
			all[name] = counter
		} else {
			delete(all, name)
		}
	}
	return all
}

// value is a metric of a Pod: the rate of a counter between the two last scrapes, or a gauge as it was at the last,
// summed over the series that the selector selects. It reports whether there is one.
func (s *scrapes) value(p *corev1.Pod, name string, selector labels.Selector) (value float64, rate, ok bool) {
	if counter, isRate := ratesOf(p, s.last)[name]; isRate {
		if s.before.IsZero() {
			return 0, true, false
		}
		// A series that was not there before has begun at 0 since.
		grown := sum(s.last[counter], selector) - sum(s.former[counter], selector)
		return max(grown, 0) / s.at.Sub(s.before).Seconds(), true, true
	}
	if f := s.last[name]; f != nil && f.GetType() == dto.MetricType_GAUGE {
		return sum(f, selector), false, true
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

// sum adds the series of a family that the selector selects; nil selects all.
func sum(f *dto.MetricFamily, selector labels.Selector) float64 {
	total := 0.0
	for _, m := range f.GetMetric() {
		if selector != nil && !selector.Empty() {
			set := labels.Set{}
			for _, l := range m.GetLabel() {
				set[l.GetName()] = l.GetValue()
			}
			if !selector.Matches(set) {
				continue
			}
		}
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}
