package verdict

import (
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// witness tells why calls were late. It goes through the series of a run at most
// once, and only if it is asked.
type witness struct {
	run     *evidence.Run
	flights *traffic
	gauges  *gauges
	err     error
}

func newWitness(run *evidence.Run) *witness { return &witness{run: run} }

// asking is a check whose verdict may rest on whose doing it was that calls were late.
type asking interface {
	judge(run *evidence.Run, w *witness) Verdict
}

// read gathers what is needed; calls in flight only for loads that have a schedule.
func (w *witness) read(calls bool) error {
	if w.err == nil && w.gauges == nil {
		w.gauges, w.err = readGauges(w.run)
	}
	if w.err == nil && calls && w.flights == nil {
		w.flights, w.err = inFlight(w.run)
	}
	return w.err
}

// late looks at one load in some phases.
func (w *witness) late(load string, phases Phases) late {
	i := slices.IndexFunc(w.run.Meta.Loads, func(m evidence.LoadMeta) bool { return m.Name == load })
	if i < 0 {
		return late{unknown: "the run has no load " + load}
	}
	m := w.run.Meta.Loads[i]
	l := late{closed: m.Model == "closed", workers: m.Workers, external: external(w.run, load), waits: w.run.Meta.Waits}
	summary, err := w.run.Summary()
	if err == nil {
		err = w.read(!l.closed)
	}
	if err != nil {
		l.unknown = err.Error()
		return l
	}
	stats := summary.Loads[i].Over(phases...)
	l.p99, _ = stats.Lag.Percentile(99)
	l.median, _ = stats.Lag.Percentile(50)
	l.service, _ = stats.Service.Percentile(50)
	var spans []evidence.Span
	for _, s := range w.run.Phases() {
		if phases.names(s) {
			spans = append(spans, s)
			l.planned += m.Planned[s.Name]
		}
	}
	if l.closed {
		l.strain = w.gauges.over(spans, nil)
		return l
	}
	l.missing = max(0, l.planned-stats.Calls)
	l.full, l.taken = w.flights.shares(i, m.Workers, spans)
	l.strain = w.gauges.over(spans, func(from, to time.Duration) float64 { return w.flights.waiting(i, from, to) })
	return l
}
