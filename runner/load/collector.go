package load

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	collectorPercent = 400 // GOGC, at least
	collectorShare   = 4   // this part of the machine's memory is the limit, the targets are there too;
	groupShare       = 2   // and no more than this part of what a container may have

	// Where garbage comes fast, a collection is to be this long after another, if
	seldom = 5 * time.Second
	// no more garbage than that piles up, or than this part of the memory there is.
	mostGarbage      = 384 << 20
	mostGarbageShare = 32

	tendEvery = 200 * time.Millisecond
)

// EaseCollector lets the garbage of calls pile up for longer before it is
// collected, until it is restored: little is live while load is made, gRPC leaves
// garbage for each call, and a collection takes time from the calls under way. How
// much may pile up follows from how fast it does. So that a load with very many
// clients does not take five times what it holds from a machine that has not as
// much, memory has a soft limit: a quarter of the machine's, and half of what the
// process's control groups leave to it (a container's limit), or none where neither
// is known. GOGC and GOMEMLIMIT in the environment go before.
func EaseCollector() (restore func()) {
	setPercent, setLimit := os.Getenv("GOGC") == "", os.Getenv("GOMEMLIMIT") == ""
	memory := memoryAtHand()
	var percent int
	var limit int64
	leave := func() {}
	if setPercent {
		percent = debug.SetGCPercent(collectorPercent)
		leave = tendCollector(garbageLimit(memory))
	}
	if setLimit {
		limit = debug.SetMemoryLimit(collectorLimit(memory))
	}
	return func() {
		leave()
		if setPercent {
			debug.SetGCPercent(percent)
		}
		if setLimit {
			debug.SetMemoryLimit(limit)
		}
	}
}

// collectorLimit is the soft limit on what the process takes of that memory.
func collectorLimit(m memory) int64 {
	limit := uint64(math.MaxInt64)
	if m.machine > 0 {
		limit = m.machine / collectorShare
	}
	if m.group > 0 {
		limit = min(limit, m.group/groupShare)
	}
	return int64(limit)
}

// garbageLimit is how much garbage may pile up in such memory, beyond what
// collectorPercent allows.
func garbageLimit(m memory) uint64 { return min(mostGarbage, m.least()/mostGarbageShare) }

// tendCollector sets GOGC anew as garbage comes, until leave is called.
func tendCollector(most uint64) (leave func()) {
	var tending sync.WaitGroup
	done := make(chan struct{})
	tending.Go(func() {
		tick := time.NewTicker(tendEvery)
		defer tick.Stop()
		allocated, _ := heap()
		e := easing{most: most, percent: collectorPercent, allocated: allocated}
		for last := time.Now(); ; {
			select {
			case now := <-tick.C:
				allocated, live := heap()
				if percent, other := e.look(now.Sub(last), allocated, live); other {
					debug.SetGCPercent(percent)
				}
				last = now
			case <-done:
				return
			}
		}
	})
	return func() { close(done); tending.Wait() }
}

// heap gives the bytes that were allocated so far, and those that were live at the
// end of the last collection.
func heap() (allocated, live uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}

// easing finds a GOGC from how fast garbage comes.
type easing struct {
	most      uint64  // bytes that may pile up
	allowed   uint64  // of these, by the rates so far: it never falls, so that memory is flat
	rate      float64 // of the last look, bytes a second
	allocated uint64
	percent   int
}

// look is told what heap says so long after the last time, and gives the GOGC that
// is to be set where it is another. A burst that is over by the next look changes
// nothing.
func (e *easing) look(since time.Duration, allocated, live uint64) (percent int, other bool) {
	rate := float64(allocated-e.allocated) / max(since, time.Millisecond).Seconds()
	lasting := min(rate, e.rate)
	e.allocated, e.rate = allocated, rate
	e.allowed = max(e.allowed, min(e.most, uint64(lasting*seldom.Seconds())))
	percent = max(collectorPercent, int(100*e.allowed/max(live, 1<<20)))
	if d := percent - e.percent; max(d, -d) <= e.percent/8 {
		return e.percent, false // to set it stops the world for a moment
	}
	e.percent = percent
	return percent, true
}
