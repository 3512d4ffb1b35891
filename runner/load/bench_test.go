package load

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// countdown is a sink that forgets what it is given and cancels the run after
// so many calls.
type countdown struct {
	left  atomic.Int64
	stop  func()
	early int64  // when so many are left,
	mark  func() // this is called
}

func (c *countdown) Sample(evidence.Sample) {
	switch left := c.left.Add(-1); {
	case left == 0:
		c.stop()
	case left == c.early && c.mark != nil:
		c.mark()
	}
}
func (*countdown) Message(evidence.Message) {}
func (*countdown) Event(evidence.Event)     {}
func (*countdown) Point(evidence.Point)     {}

// BenchmarkEngine is the cost of a call by eight clients over loopback, the
// target's part of it included.
func BenchmarkEngine(b *testing.B) {
	for _, sub := range subjects() {
		if sub.spec.Trickle != nil {
			continue // slow on purpose
		}
		b.Run(sub.name, func(b *testing.B) {
			tg := sub.target(b)
			spec := sub.spec
			spec.Clients = 8
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			sink := &countdown{stop: cancel}
			sink.left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			if err := engine.Run(ctx, 0, unpaced{}, sink); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkMemory reports by how much the process grows between the first tenth
// of the calls and the last: nothing may grow with the length of a run. Say
// -benchtime 1200000x for ten minutes at 2,000 calls a second.
func BenchmarkMemory(b *testing.B) {
	for _, sub := range subjects()[:2] {
		b.Run(sub.name, func(b *testing.B) {
			tg := sub.target(b)
			spec := sub.spec
			spec.Clients = 32
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			used := func() (heap, system float64) {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return float64(m.HeapAlloc) / (1 << 20), float64(m.Sys-m.HeapReleased) / (1 << 20)
			}
			var heap, system float64
			sink := &countdown{stop: cancel, early: int64(b.N) * 9 / 10}
			sink.mark = func() { heap, system = used() }
			sink.left.Store(int64(b.N))
			if err := engine.Run(ctx, 0, unpaced{}, sink); err != nil {
				b.Fatal(err)
			}
			heapEnd, systemEnd := used()
			b.ReportMetric(heapEnd-heap, "MiB-heap-growth")
			b.ReportMetric(systemEnd-system, "MiB-system-growth")
		})
	}
}
