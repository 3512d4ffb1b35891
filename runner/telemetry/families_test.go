package telemetry

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"ordeal/runner/evidence"
)

var update = flag.Bool("update", false, "write the table of metrics into docs/metrics.md")

const (
	page       = "../../docs/metrics.md"
	tableStart = "<!-- metrics: written by go test ./runner/telemetry -run Documented -update -->\n"
	tableEnd   = "<!-- end of metrics -->\n"
)

func metricsTable() string {
	kinds := map[prometheus.ValueType]string{
		prometheus.CounterValue: "counter", prometheus.GaugeValue: "gauge", histogramValue: "histogram",
	}
	var b strings.Builder
	b.WriteString("| metric | kind | labels | what it is |\n| --- | --- | --- | --- |\n")
	for _, f := range newFamilies().all() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, kinds[f.kind], strings.Join(f.labels, ", "), f.help)
	}
	return b.String()
}

func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), tableStart)
	old, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("%s has no place for the table, between %q and %q", page, tableStart, tableEnd)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+tableStart+metricsTable()+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != metricsTable() {
		t.Errorf("the table of metrics is not current: go test ./runner/telemetry -run Documented -update")
	}
}

// What is documented is what is served, with the labels and the kind that the
// page says.
func TestDocumentedMetricsAreServed(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	run.tally.Sample(&evidence.Sample{})
	run.tally.Message(&evidence.Message{Load: 1})
	run.Event(evidence.Event{Kind: evidence.PhaseStart, Phase: "steady"})
	got := scrape(t, server.URL())
	maps.DeleteFunc(got, func(name string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(name, "ordeal_") })
	for _, f := range newFamilies().all() {
		served := got[f.name]
		delete(got, f.name)
		if len(served.GetMetric()) == 0 {
			t.Errorf("%s is not served", f.name)
			continue
		}
		var labels []string
		for _, l := range served.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		if !slices.Equal(labels, slices.Sorted(slices.Values(f.labels))) {
			t.Errorf("%s has the labels %v, want %v", f.name, labels, f.labels)
		}
		if kind := strings.ToLower(served.GetType().String()); !strings.Contains(metricsTable(), fmt.Sprintf("| `%s` | %s |", f.name, kind)) {
			t.Errorf("%s is served as a %s", f.name, kind)
		}
	}
	for name := range got {
		t.Errorf("%s is served and not documented", name)
	}
}
