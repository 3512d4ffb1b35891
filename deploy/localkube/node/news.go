package node

import (
	"context"
	"sync"
	"time"
)

// How long a call that failed waits for the next, doubling.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

// news says that a status has changed, and whether the API server was told.
type news struct {
	wake chan struct{} // capacity 1: there is something to tell
	over chan struct{} // closed when nothing is to be told any more
	once sync.Once

	mu     sync.Mutex
	muted  bool
	latest uint64        // changes so far
	sent   uint64        // of them told
	next   chan struct{} // closed with the next that is told
}

func newNews() *news {
	return &news{wake: make(chan struct{}, 1), over: make(chan struct{}), next: make(chan struct{})}
}

// changed notes a change.
func (n *news) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.muted {
		return
	}
	n.latest++
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// mute lets changes pass untold.
func (n *news) mute() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.muted, n.sent = true, n.latest
}

// version is the number of changes so far; a status that is made after it was read has them all.
func (n *news) version() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.latest
}

// done notes that a status with all changes up to version was told.
func (n *news) done(version uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = max(n.sent, version)
	close(n.next)
	n.next = make(chan struct{})
}

// told waits until all changes so far were told, but no longer than within.
func (n *news) told(ctx context.Context, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	want := n.version()
	for {
		n.mu.Lock()
		sent, next := n.sent, n.next
		n.mu.Unlock()
		if sent >= want {
			return
		}
		select {
		case <-next:
		case <-n.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end lets nothing be told any more.
func (n *news) end() { n.once.Do(func() { close(n.over) }) }

func (n *news) ended() bool {
	select {
	case <-n.over:
		return true
	default:
		return false
	}
}

// sleep waits for d, and reports whether ctx did not end meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// again lets what could not be told be told anew.
func (n *news) again() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}
