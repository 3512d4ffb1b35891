package runner

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
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
