package users

import (
	"strings"
	"testing"
)

// gauge is the sum of a metric's series that have all of the label values.
func gauge(t testing.TB, in *instance, name string, values ...string) float64 {
	t.Helper()
	families, err := in.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	series:
		for _, m := range f.GetMetric() {
			var have strings.Builder
			for _, l := range m.GetLabel() {
				have.WriteString("|" + l.GetValue() + "|")
			}
			for _, v := range values {
				if !strings.Contains(have.String(), "|"+v+"|") {
					continue series
				}
			}
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}
