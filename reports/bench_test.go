package reports

import (
	"io"
	"math"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// BenchmarkReport renders each report of a prepared run directory whose calls
// were counted already: what a report costs beyond the one pass over the calls
// that judging takes, too.
func BenchmarkReport(b *testing.B) {
	run, j := open(b, writeBreakerRun(b, breakerMeta())), breakerJudgement()
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			build(b, run, j)
		}
	})
	d := build(b, run, j)
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) {
			var of Selection
			if format == "hgrm" {
				of.Loads = []string{"browse"}
			}
			r, _ := renderer(b, format, of)
			b.ReportAllocs()
			for b.Loop() {
				if err := r(io.Discard, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReportOfAnHour renders the page of a run that is as long as charts
// are drawn in their finest steps; its cost is to be the same for any longer one.
func BenchmarkReportOfAnHour(b *testing.B) {
	m := breakerMeta()
	m.Phases = []evidence.PhaseMeta{{Name: "steady", Start: start, For: time.Hour}}
	dir := b.TempDir()
	w, err := evidence.Create(dir, m, nil)
	if err != nil {
		b.Fatal(err)
	}
	w.Event(evidence.Event{At: start, Kind: evidence.PhaseStart, Phase: "steady"})
	for i := range 36_000 {
		s := evidence.Sample{Load: i % 2, Seq: uint64(i / 2), Intended: at(float64(i) / 10)}
		s.Sent = s.Intended
		s.Done = s.Sent + time.Duration(1e6*math.Exp(float64(i*7919%1000)/300))
		s.Class = evidence.Class(i / 7 % evidence.NumClasses)
		w.Sample(s)
		if i%5 == 0 {
			for _, p := range []evidence.Point{
				{Name: "harness_cpu_seconds_total", Value: float64(i) / 20}, {Name: "harness_sched_latency_seconds", Labels: `quantile="1"`, Value: float64(i%97) / 1e5},
			} {
				p.At, p.Target = s.Intended, "ordeal"
				w.Point(p)
			}
		}
	}
	w.Event(evidence.Event{At: at(3600), Kind: evidence.PhaseEnd, Phase: "steady"})
	if err := w.Close(evidence.Completed, nil); err != nil {
		b.Fatal(err)
	}
	d := build(b, open(b, dir), breakerJudgement())
	b.ReportAllocs()
	for b.Loop() {
		if err := HTML(io.Discard, d); err != nil {
			b.Fatal(err)
		}
	}
}
