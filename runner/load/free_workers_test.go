package load

import (
	"runtime"
	"slices"
	"testing"
	"unsafe"
)

// asAfterACall makes the stack as long as a call does.
//
//go:noinline
func asAfterACall(n int) byte {
	var stack [5 << 10]byte
	stack[n] = byte(n)
	return stack[n/2]
}

// movedStack reports whether the stack of a goroutine is elsewhere after a wait.
func movedStack(ready chan<- bool, moved chan<- bool, wait func()) {
	asAfterACall(1)
	var here byte
	before := uintptr(unsafe.Pointer(&here))
	ready <- true
	wait()
	moved <- uintptr(unsafe.Pointer(&here)) != before
	runtime.KeepAlive(&here)
}

// TestCollectorLeavesWaitingWorkersAlone: a collection does not move the stack of a
// worker that waits for a call, as it does that of a goroutine that waits with as
// little on it.
func TestCollectorLeavesWaitingWorkersAlone(t *testing.T) {
	ready, movedPlain, movedWorker := make(chan bool), make(chan bool), make(chan bool)
	for range 100 {
		plain, worker := make(chan bool), newFreeWorker()
		go movedStack(ready, movedPlain, func() { <-plain })
		go movedStack(ready, movedWorker, func() { worker.wait() })
		<-ready
		<-ready
		runtime.GC()
		runtime.GC() // the first may find them on their way
		plain <- true
		worker.more <- true
		control := <-movedPlain
		if <-movedWorker {
			t.Fatal("the collector has made the stack of a waiting worker shorter")
		}
		if control {
			return
		}
	}
	t.Error("the collector has not touched the stack of a goroutine either: this test tells nothing")
}

// TestMuster: those who had no call since the muster before are told to leave.
func TestMuster(t *testing.T) {
	var f freeWorkers
	var all []*freeWorker
	for range 5 {
		all = append(all, newFreeWorker())
		f.join(all[len(all)-1])
	}
	check := func(when string, want ...int) {
		t.Helper()
		f.muster()
		var left []int
		for i, w := range all {
			if len(w.more) > 0 {
				if <-w.more {
					t.Errorf("%s: worker %d has a call", when, i)
				}
				left = append(left, i)
			}
		}
		if !slices.Equal(left, want) {
			t.Errorf("%s: workers %v leave, want %v", when, left, want)
		}
	}
	check("all have just come")
	last, before := f.take(), f.take()
	if last != all[4] || before != all[3] {
		t.Fatal("the last to come are not the first to go")
	}
	f.join(last)
	f.join(before)
	check("two had calls", 0, 1, 2)
	check("nobody had", 4)
	check("one is there")
	f.take()
	check("nobody is there")
}
