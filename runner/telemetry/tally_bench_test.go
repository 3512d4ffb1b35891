package telemetry

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordeal/runner/evidence"
)

// BenchmarkTally is the cost of counting one call from workers beside each
// other.
func BenchmarkTally(b *testing.B) {
	t := NewTally(1, true)
	observeFromWorkers(b, t.Sample)
}

// BenchmarkClientGolang is the same with a histogram of the client library for
// each of the three times, and a counter: what Tally is held against.
func BenchmarkClientGolang(b *testing.B) {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "h", NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: numBuckets,
	}, []string{"what"})
	response, service, lag := vec.WithLabelValues("response"), vec.WithLabelValues("service"), vec.WithLabelValues("lag")
	bytes := prometheus.NewCounter(prometheus.CounterOpts{Name: "bytes"})
	observeFromWorkers(b, func(s *evidence.Sample) {
		response.Observe(s.Response().Seconds())
		service.Observe(s.Service().Seconds())
		lag.Observe(s.Lag().Seconds())
		bytes.Add(float64(s.Bytes))
	})
}

func observeFromWorkers(b *testing.B, observe func(*evidence.Sample)) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := evidence.Sample{Bytes: 1000}
		for pb.Next() {
			s.Seq++
			s.Sent = time.Duration(s.Seq%64) * time.Microsecond
			s.Done = s.Sent + 3*time.Millisecond + time.Duration(s.Seq%4096)*time.Microsecond
			observe(&s)
		}
	})
}
