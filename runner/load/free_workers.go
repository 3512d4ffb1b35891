package load

import "sync"

// freeWorkers are the workers of an open model that wait for another call. The
// last one to come is the first to get one: what it works with is still in the
// caches.
type freeWorkers struct {
	mu   sync.Mutex
	free []*freeWorker
	over bool // there is no further call
}

// freeWorker is a worker's place among them, kept from one wait to the next.
type freeWorker struct{ more chan bool }

func newFreeWorker() *freeWorker {
	return &freeWorker{make(chan bool, 1)} // to send never waits: a worker is told once each time
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

// give gives a call to one of them; false where nobody is free.
func (f *freeWorkers) give() bool {
	f.mu.Lock()
	last := len(f.free) - 1
	if last < 0 {
		f.mu.Unlock()
		return false
	}
	w := f.free[last]
	f.free = f.free[:last]
	f.mu.Unlock()
	w.more <- true
	return true
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
	f.free = nil
}
