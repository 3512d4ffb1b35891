package evidence

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRecorder is the whole way of a call into the evidence: taken from many
// goroutines, sorted, encoded, compressed, written and hashed. cpu-ns/op is what
// it costs the machine, on all cores together, with making the call up.
func BenchmarkRecorder(b *testing.B) {
	dir := b.TempDir()
	w := mustCreate(b, dir, testMeta("a", "b"), openOnDisk)
	var next atomic.Uint64
	b.ReportAllocs()
	before := processorTime(b)
	b.RunParallel(func(p *testing.PB) {
		r := rand.New(rand.NewPCG(1, 2))
		s := Sample{Class: OK, Code: 200, Bytes: 512, Backend: "127.0.0.1:4001"}
		for p.Next() {
			s.Seq = next.Add(1)
			s.Load = int(s.Seq % 2)
			s.Intended = time.Duration(s.Seq) * 500 * time.Microsecond
			s.Sent = s.Intended + time.Duration(r.IntN(60_000))
			s.Done = s.Sent + time.Duration(300_000+r.IntN(4_000_000))
			w.Sample(s)
		}
	})
	if err := w.Close(Completed, nil); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	var size int64
	files, _ := filepath.Glob(filepath.Join(dir, samplesDir, "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	b.ReportMetric(float64(size)/float64(b.N), "disk-B/op")
	b.ReportMetric(float64(w.samples.waits.Load()), "waits")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
		w.Message(Message{Call: s.Seq / 10, N: s.Seq % 10, Intended: s.Intended, Sent: s.Sent, Done: s.Done})
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

func BenchmarkRunMessages(b *testing.B) {
	const messages = 200_000
	r := benchRun(b, messages)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		n := 0
		for _, err := range r.Messages() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != messages {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/messages, "ns/row")
}

// BenchmarkRunScan is a pass over the calls as a check makes it.
func BenchmarkRunScan(b *testing.B) {
	const calls = 200_000
	r := benchRun(b, calls)
	for name, q := range map[string]Query{
		"fields=all":   {Fields: ^Fields(0)},
		"fields=times": {Fields: WithLoad | WithIntended | WithSent | WithDone},
		"tenth":        {Fields: ^Fields(0), From: 10 * time.Second, To: 20 * time.Second},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range r.Scan(q) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkRunSummary is the one pass that most of judging and all of reporting
// rests on: calls and messages.
func BenchmarkRunSummary(b *testing.B) {
	const calls = 200_000
	r := benchRun(b, calls)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r.summary = nil
		s, err := r.Summary()
		if err != nil || s.Loads[0].Whole.Calls != calls || s.Loads[0].Whole.Messages.Count != calls {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/row")
}

func BenchmarkDistribution(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]time.Duration, 1<<16)
	for i := range values {
		values[i] = time.Duration(3e5 * (1 + r.ExpFloat64()*r.ExpFloat64()))
	}
	filled := newDistribution(phaseDigits)
	for _, v := range values {
		filled.record(v)
	}
	b.Run("record=packed", func(b *testing.B) {
		d := newDistribution(phaseDigits)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			d.record(values[i&(len(values)-1)])
		}
	})
	b.Run("record=dense", func(b *testing.B) {
		d := newDistribution(phaseDigits)
		d.dense = newDense(phaseDigits)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			d.record(values[i&(len(values)-1)])
		}
		d.settle()
	})
	b.Run("merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newDistribution(phaseDigits).Merge(filled)
		}
	})
	b.Run("percentile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, enough := filled.Percentile(99); !enough {
				b.Fatal("too few")
			}
		}
	})
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
		r.series, r.seriesKept = nil, 0
		if s, err := r.Series("users", "metric_7"); err != nil || len(s) != 1 || s[0].Len() != each {
			b.Fatal(len(s), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/series/each, "ns/row")
}
