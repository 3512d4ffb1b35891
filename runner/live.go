package runner

import (
	"math/bits"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// live passes evidence on and keeps, without locks, the few figures that are
// shown while a run goes on. They are rough: verdicts never rest on them.
type live struct {
	evidence.Sink
	calls    atomic.Int64
	errors   atomic.Int64
	slowness [liveBuckets]atomic.Int64 // response times since the last look, by bucket
}

// Four buckets for each doubling of microseconds, so a figure is within 25 %.
const liveBuckets = 42 * 4

func liveBucket(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1))
	doubling := bits.Len64(us) - 1
	quarter := int(us<<2>>doubling) & 3
	return min(doubling*4+quarter, liveBuckets-1)
}

// liveEdge is the upper edge of a bucket.
func liveEdge(bucket int) time.Duration {
	doubling, quarter := bucket/4, bucket%4
	return time.Duration(5+quarter) * time.Microsecond << doubling / 4
}

// Sample counts a call and passes it on.
func (l *live) Sample(s evidence.Sample) {
	l.calls.Add(1)
	if s.Class != evidence.OK {
		l.errors.Add(1)
	}
	l.slowness[liveBucket(s.Response())].Add(1)
	l.Sink.Sample(s)
}

// p99 gives the 99th percentile of the response times since it was last asked,
// zero where there were none.
func (l *live) p99() time.Duration {
	var counts [liveBuckets]int64
	var total int64
	for i := range counts {
		counts[i] = l.slowness[i].Swap(0)
		total += counts[i]
	}
	rank := total - total/100
	for i, n := range counts {
		if rank -= n; n > 0 && rank <= 0 {
			return liveEdge(i)
		}
	}
	return 0
}
