// Package telemetry serves the harness's own figures to Prometheus while a run
// goes on: calls and how long they took, phases and faults, and what the
// generator itself costs. Verdicts never rest on them: they rest on evidence.
package telemetry

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ordeal/runner/evidence"
)

// Exporter shows the runs of one process.
type Exporter struct {
	registry *prometheus.Registry
	families *families
	build    evidence.Build

	mu   sync.Mutex
	runs []*Run
}

// NewExporter makes an Exporter without runs, with a registry of its own.
func NewExporter(build evidence.Build) *Exporter {
	e := &Exporter{registry: prometheus.NewRegistry(), families: newFamilies(), build: build}
	e.registry.MustRegister(
		e,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return e
}

// Show adds a run. It stays after its end, so that a scraper that comes late
// still sees how it ended; another run of the same scenario takes its place.
func (e *Exporter) Show(r *Run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.runs = append(slices.DeleteFunc(e.runs, func(old *Run) bool { return old.scenario == r.scenario }), r)
}

// Describe implements prometheus.Collector.
func (e *Exporter) Describe(out chan<- *prometheus.Desc) {
	for _, f := range e.families.all() {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	e.mu.Lock()
	runs := slices.Clone(e.runs)
	e.mu.Unlock()
	b := e.build
	out <- e.families.build.value(1, time.Time{}, b.Version, b.Commit, b.Go, b.OS, b.Arch)
	for _, r := range runs {
		r.collect(e.families, out)
	}
}

// Scrapes are few: these bound what they can cost the generator.
const (
	maxScrapes    = 4 // at once
	scrapeTimeout = 10 * time.Second
)

// Handler answers scrapes in the format that the scraper asks for: protobuf with
// native histograms, OpenMetrics, or text.
func (e *Exporter) Handler() http.Handler {
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout, EnableOpenMetrics: true,
	})
}
