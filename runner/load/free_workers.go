package load

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// freeWorkers are the workers of an open model that wait for another call. The
// last one to come is the first to get one: what it works with is still in the
// caches.
type freeWorkers struct {
	mu     sync.Mutex
	free   []*freeWorker
	fewest int  // that there were at a time since the last muster
	over   bool // there is no further call
}

// freeWorker is a worker's place among them, kept from one wait to the next.
type freeWorker struct {
	more chan bool
	next *freeWorker // is told by this one that there is a call for it, too
}

func newFreeWorker() *freeWorker {
	return &freeWorker{more: make(chan bool, 1)} // to send never waits: a worker is told once each time
}

// wait waits for a call; false where there is none.
func (w *freeWorker) wait() bool {
	more := w.deep()
	if next := w.next; next != nil {
		w.next = nil
		next.more <- true
	}
	return more
}

// deepStack is more than a quarter of what a call's stack grows to, which is 8 KiB.
const deepStack = 2 << 10

// deep waits with a stack that is long enough for the collector to leave it as it
// is. It halves each that is used to less than a quarter, of hundreds of waiting
// workers a third of all its work, and the next call has to make it grow again.
//
//go:noinline
func (w *freeWorker) deep() bool {
	var stack [deepStack]byte
	more := <-w.more
	runtime.KeepAlive(&stack)
	return more
}

// join adds a worker, which then waits for more; false where there is no further
// call to wait for.
func (f *freeWorkers) join(w *freeWorker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.free = append(f.free, w)
	}
	return !f.over
}

// take takes one of them; nil where nobody is free.
func (f *freeWorkers) take() *freeWorker {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.free) - 1
	if last < 0 {
		return nil
	}
	w := f.free[last]
	f.free = f.free[:last]
	f.fewest = min(f.fewest, last)
	return w
}

// musterEvery is the time between two musters.
const musterEvery = time.Second

// muster tells those for whom there was no call since the last time that there is
// none. After a stall there are as many as the calls that it held up, and to look
// through the stack of each is a good part of what a collection costs. One stays:
// a call for which there is a worker leaves sooner.
func (f *freeWorkers) muster() {
	f.mu.Lock()
	defer f.mu.Unlock()
	leave := max(0, min(f.fewest, len(f.free)-1))
	for _, w := range f.free[:leave] {
		w.more <- false
	}
	f.free = slices.Delete(f.free, 0, leave)
	f.fewest = len(f.free)
}

// dismiss tells all of them, and those who would join, that there is no further
// call.
func (f *freeWorkers) dismiss() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for _, w := range f.free {
		w.more <- false
	}
	f.free, f.fewest = nil, 0
}
