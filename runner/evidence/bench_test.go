package evidence

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkWriterSample(b *testing.B) {
	dir := b.TempDir()
	w := mustCreate(b, dir, testMeta("a"), openOnDisk)
	var next atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		r := rand.New(rand.NewPCG(1, 2))
		s := Sample{Class: OK, Code: 200, Bytes: 512, Backend: "127.0.0.1:4001"}
		for p.Next() {
			s.Seq = next.Add(1)
			s.Intended = time.Duration(s.Seq) * 500 * time.Microsecond
			s.Sent = s.Intended + time.Duration(r.IntN(60_000))
			s.Done = s.Sent + time.Duration(300_000+r.IntN(4_000_000))
			w.Sample(s)
		}
	})
	b.StopTimer()
	if err := w.Close(Completed, nil); err != nil {
		b.Fatal(err)
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(dir, samplesDir, "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	b.ReportMetric(float64(size)/float64(b.N), "bytes/row")
	b.ReportMetric(float64(w.samples.waits.Load()), "waits")
}

// benchRun is a run of calls at 2,000/s with latencies like a service's.
func benchRun(b *testing.B, calls int) *Run {
	b.Helper()
	dir := b.TempDir()
	w := mustCreate(b, dir, testMeta("a"), openOnDisk)
	r := rand.New(rand.NewPCG(1, 2))
	s := Sample{Class: OK, Code: 200, Bytes: 512, Backend: "127.0.0.1:4001"}
	for i := range calls {
		s.Seq = uint64(i)
		s.Intended = time.Duration(s.Seq) * 500 * time.Microsecond
		s.Sent = s.Intended + time.Duration(r.IntN(60_000))
		s.Done = s.Sent + time.Duration(3e5*(1+r.ExpFloat64()*r.ExpFloat64()))
		w.Sample(s)
	}
	if err := w.Close(Completed, nil); err != nil {
		b.Fatal(err)
	}
	return mustOpen(b, dir)
}

func BenchmarkRunSamples(b *testing.B) {
	const calls = 200_000
	r := benchRun(b, calls)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		n := 0
		for _, err := range r.Samples() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != calls {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/row")
}

func BenchmarkRunSummary(b *testing.B) {
	const calls = 200_000
	r := benchRun(b, calls)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r.summary = nil
		s, err := r.Summary()
		if err != nil || s.Loads[0].Whole.Calls != calls {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/row")
}

// BenchmarkSampleCall is what a call costs its caller while the writer keeps up.
func BenchmarkSampleCall(b *testing.B) {
	in := newIntake[Sample](perCPU())
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case batch := <-in.full:
				in.give(batch)
			case <-stop:
				return
			}
		}
	}()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		s := Sample{Class: OK, Code: 200, Bytes: 512, Backend: "127.0.0.1:4001"}
		for p.Next() {
			in.put(&s)
		}
	})
	close(stop)
	<-done
}

func BenchmarkRunSeries(b *testing.B) {
	dir := b.TempDir()
	w := mustCreate(b, dir, testMeta("a"), openOnDisk)
	const series, each = 200, 1000
	for i := range each {
		for k := range series {
			w.Point(point(k, i))
		}
	}
	if err := w.Close(Completed, nil); err != nil {
		b.Fatal(err)
	}
	r := mustOpen(b, dir)
	b.ReportAllocs()
	for b.Loop() {
		if s, err := r.Series("users", "metric_7"); err != nil || len(s) != 1 || s[0].Len() != each {
			b.Fatal(len(s), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/series/each, "ns/row")
}
