package observe

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestSinceCountsOnlyWhatCameSince(t *testing.T) {
	hist := &metrics.Float64Histogram{
		Counts:  []uint64{1000, 99, 1},
		Buckets: []float64{0, 1, 2, math.Inf(1)},
	}
	p99, top := since(hist, []uint64{1000, 0, 0})
	if p99 != 2 || top != 2 { // rank 99 of 100 is in [1,2); the last bucket has no upper edge
		t.Errorf("p99=%v top=%v, want 2 and 2", p99, top)
	}
	if p99, _ := since(hist, nil); p99 != 2 { // 1100 in all, rank 1089
		t.Errorf("p99 of all is %v, want 2", p99)
	}
	if p99, top := since(hist, hist.Counts); p99 != 0 || top != 0 {
		t.Errorf("nothing new: p99=%v top=%v, want zeros", p99, top)
	}
}

// A run is not told of the pauses of the runs before it in the same process,
// and each look tells of those since the last.
func TestDistributionsBeginWithTheRun(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // only those that are asked for
	runtime.GC()
	r := newRuntimeReader()
	pause := func() (p99, top float64) {
		p99, top = -1, -1
		r.read(func(name, labels string, v float64) {
			switch name + labels {
			case `harness_gc_pause_secondsquantile="0.99"`:
				p99 = v
			case `harness_gc_pause_secondsquantile="1"`:
				top = v
			}
		})
		return p99, top
	}
	if p99, top := pause(); p99 != 0 || top != 0 {
		t.Errorf("of what came before, p99=%v top=%v are told", p99, top)
	}
	runtime.GC()
	if p99, top := pause(); p99 <= 0 || top < p99 || top > 60 {
		t.Errorf("a collection paused for p99=%v top=%v", p99, top)
	}
	if p99, top := pause(); p99 != 0 || top != 0 {
		t.Errorf("it is told twice: p99=%v top=%v", p99, top)
	}
}
