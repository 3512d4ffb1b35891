package runner

import (
	"context"
	"runtime"
	"testing"
	"time"
	"weak"

	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/runner/telemetry"
)

// BenchmarkLiveSample is what the figures shown during a run cost a call, with
// the progress line alone and with metrics served.
func BenchmarkLiveSample(b *testing.B) {
	for _, bench := range []struct {
		name    string
		metrics *telemetry.Exporter
	}{{"progress", nil}, {"metrics", telemetry.NewExporter(Build())}} {
		b.Run(bench.name, func(b *testing.B) {
			l := newLive(&journal{}, func() int64 { return 0 }, &evidence.Meta{Loads: []evidence.LoadMeta{{Name: "a"}}}, bench.metrics)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				s := evidence.Sample{Done: 3 * time.Millisecond}
				for pb.Next() {
					l.Sample(s)
				}
			})
		})
	}
}

// TestServedRunKeepsNoEngine: what is served of a run asks for its schedules,
// and does not keep alive what its calls are made of.
func TestServedRunKeepsNoEngine(t *testing.T) {
	exporter := telemetry.NewExporter(Build())
	meta := &evidence.Meta{Loads: []evidence.LoadMeta{{Name: "a", Model: "open"}}}
	l := newLive(&journal{}, func() int64 { return 0 }, meta, exporter)
	hold := load.Rate(100)
	schedule, err := (&load.Spec{Name: "a", Rate: &load.Curve{Hold: &hold}}).Schedule([]load.PhaseSpan{{For: time.Second}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := func() weak.Pointer[[1 << 10]byte] {
		rows := new([1 << 10]byte)
		l.started([]engine{{name: "a", schedule: schedule, run: func(context.Context, time.Duration, evidence.Sink) error {
			rows[0]++
			return nil
		}}}, func() time.Duration { return 500 * time.Millisecond })
		return weak.Make(rows)
	}()
	runtime.GC()
	if rows.Value() != nil {
		t.Error("an engine is kept")
	}
	runtime.KeepAlive(l)
}
