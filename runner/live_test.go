package runner

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestLiveP99IsWithinAQuarterAndForgets(t *testing.T) {
	l := &live{Sink: &journal{}}
	for i := range 1000 {
		d := 10 * time.Millisecond
		if i >= 980 {
			d = 800 * time.Millisecond
		}
		l.Sample(evidence.Sample{Intended: time.Second, Sent: time.Second, Done: time.Second + d})
	}
	if got := l.p99(); got < 800*time.Millisecond || got > time.Second {
		t.Errorf("p99 is %v, want 800ms to 1s", got)
	}
	if got := l.p99(); got != 0 {
		t.Errorf("p99 is %v with no new calls, want 0", got)
	}
}

func TestLiveBucketsCoverEveryDuration(t *testing.T) {
	for d := time.Nanosecond; d < 2*time.Hour; d = d*5/4 + 1 {
		edge := liveEdge(liveBucket(d))
		if edge < d.Truncate(time.Microsecond) || edge > max(d, time.Microsecond)*3/2 {
			t.Errorf("%v is in the bucket up to %v", d, edge)
		}
	}
}

func BenchmarkLiveSample(b *testing.B) {
	l := &live{Sink: &journal{}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := evidence.Sample{Done: 3 * time.Millisecond}
		for pb.Next() {
			l.Sample(s)
		}
	})
}
