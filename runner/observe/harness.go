package observe

import (
	"context"
	"math"
	"os"
	"runtime/metrics"
	"syscall"
	"time"

	"ordeal/runner/evidence"
)

// harnessTarget is the name under which the harness's own figures are kept.
const harnessTarget = "ordeal"

const harnessEvery = 500 * time.Millisecond

// Harness records what the generator itself costs and suffers, and what goes on
// on its machine: a starved generator measures itself, not the target.
type Harness struct{ Clock evidence.Clock }

// The series of the harness, by the names of runtime/metrics.
var harnessGauges = []struct{ name, metric string }{
	{"harness_heap_bytes", "/memory/classes/heap/objects:bytes"},
	{"harness_memory_bytes", "/memory/classes/total:bytes"},
	{"harness_goroutines", "/sched/goroutines:goroutines"},
	{"harness_gomaxprocs", "/sched/gomaxprocs:threads"},
	{"harness_gc_cycles_total", "/gc/cycles/total:gc-cycles"},
}

// The distributions: the 99th percentile and the largest of what came since
// the last look are kept, in seconds.
var harnessDistributions = []struct{ name, metric string }{
	{"harness_sched_latency_seconds", "/sched/latencies:seconds"},
	{"harness_gc_pause_seconds", "/sched/pauses/total/gc:seconds"},
}

// Observe records until ctx ends, and once more then.
func (h Harness) Observe(ctx context.Context, out evidence.Sink) error {
	r := newRuntimeReader()
	look := func() {
		at := h.Clock.Now()
		put := func(name, labels string, v float64) {
			out.Point(evidence.Point{At: at, Target: harnessTarget, Name: name, Labels: labels, Value: v})
		}
		var rusage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &rusage); err == nil {
			put("harness_cpu_seconds_total", "", seconds(rusage.Utime)+seconds(rusage.Stime))
		}
		putMachine(put)
		r.read(put)
		if bytes, ok := residentBytes(os.Getpid()); ok {
			put("harness_resident_bytes", "", bytes)
		}
	}
	every(ctx, harnessEvery, look)
	look()
	return nil
}

// runtimeReader reads runtime/metrics. Of distributions it gives what came since
// the last read, or since it was made.
type runtimeReader struct {
	samples []metrics.Sample
	before  [][]uint64 // by distribution
}

func newRuntimeReader() *runtimeReader {
	r := &runtimeReader{before: make([][]uint64, len(harnessDistributions))}
	for _, g := range harnessGauges {
		r.samples = append(r.samples, metrics.Sample{Name: g.metric})
	}
	for _, d := range harnessDistributions {
		r.samples = append(r.samples, metrics.Sample{Name: d.metric})
	}
	// What came before is of an earlier run, or of none.
	r.read(func(string, string, float64) {})
	return r
}

func (r *runtimeReader) read(put func(name, labels string, v float64)) {
	metrics.Read(r.samples)
	for i, g := range harnessGauges {
		if v := r.samples[i].Value; v.Kind() == metrics.KindUint64 {
			put(g.name, "", float64(v.Uint64()))
		}
	}
	for i, d := range harnessDistributions {
		v := r.samples[len(harnessGauges)+i].Value
		if v.Kind() != metrics.KindFloat64Histogram {
			continue
		}
		hist := v.Float64Histogram()
		p99, top := since(hist, r.before[i])
		r.before[i] = append(r.before[i][:0], hist.Counts...)
		put(d.name, `quantile="0.99"`, p99)
		put(d.name, `quantile="1"`, top)
	}
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// since gives the 99th percentile and the maximum of what was added to a
// histogram after before was read, as the upper edges of their buckets; zero
// when nothing was.
func since(hist *metrics.Float64Histogram, before []uint64) (p99, top float64) {
	counts := make([]uint64, len(hist.Counts))
	var total uint64
	for i, n := range hist.Counts {
		counts[i] = n
		if i < len(before) {
			counts[i] -= before[i]
		}
		total += counts[i]
	}
	rank := uint64(math.Ceil(0.99 * float64(total)))
	var seen uint64
	for i, n := range counts {
		if n == 0 {
			continue
		}
		edge := hist.Buckets[i+1]
		if math.IsInf(edge, 1) {
			edge = hist.Buckets[i]
		}
		if seen < rank && seen+n >= rank {
			p99 = edge
		}
		seen += n
		top = edge
	}
	return p99, top
}
