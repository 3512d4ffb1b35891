package telemetry

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

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

// BenchmarkScrape is what one scrape costs the generator, by the format asked
// for: three loads, each with calls of two classes in a hundred buckets.
func BenchmarkScrape(b *testing.B) {
	loads := make([]evidence.LoadMeta, 3)
	var issued []*atomic.Int64
	for i := range loads {
		loads[i] = evidence.LoadMeta{Name: strconv.Itoa(i), Model: "open"}
		issued = append(issued, new(atomic.Int64))
	}
	tally := NewTally(len(loads), true)
	for i := range 600 {
		d := time.Duration(math.Exp2(float64(i/6)/8) * float64(time.Millisecond))
		tally.Sample(&evidence.Sample{Load: i % 3, Class: evidence.Class(i % 6 / 3), Sent: d, Done: 2 * d})
	}
	exporter := NewExporter(evidence.Build{})
	exporter.Show(NewRun(&evidence.Meta{Scenario: "s", Loads: loads}, tally, issued, func() int64 { return 0 }))
	for _, kind := range []expfmt.FormatType{expfmt.TypeProtoDelim, expfmt.TypeOpenMetrics} {
		b.Run(map[expfmt.FormatType]string{expfmt.TypeProtoDelim: "protobuf", expfmt.TypeOpenMetrics: "openmetrics"}[kind], func(b *testing.B) {
			handler := exporter.Handler()
			req := httptest.NewRequest(http.MethodGet, Path, nil)
			req.Header.Set("Accept", string(expfmt.NewFormat(kind)))
			b.ReportAllocs()
			var size int
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, req)
				size = answer.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/scrape")
		})
	}
}
