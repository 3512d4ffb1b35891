package observe

import (
	"math"
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
