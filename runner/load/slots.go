package load

import (
	"context"
	"sync/atomic"
	"time"
)

// slots caps the calls in flight. One goroutine takes them, and any number
// gives them back; to do either costs an addition, unless one is waited for.
type slots struct {
	most    int64
	taken   atomic.Int64
	waiting atomic.Bool
	wake    chan struct{}
}

func newSlots(most int) *slots {
	return &slots{most: int64(most), wake: make(chan struct{}, 1)}
}

// take takes a slot, waiting for one for so long; false for none.
func (s *slots) take(ctx context.Context, longest time.Duration) bool {
	if s.try() {
		return true
	}
	s.waiting.Store(true)
	defer s.waiting.Store(false)
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for {
		// Who gives one back after this finds that it is waited for.
		if s.try() {
			return true
		}
		select {
		case <-s.wake:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (s *slots) try() bool {
	if s.taken.Load() >= s.most { // only the caller adds to it
		return false
	}
	s.taken.Add(1)
	return true
}

// give gives a slot back.
func (s *slots) give() {
	s.taken.Add(-1)
	if s.waiting.Load() {
		select {
		case s.wake <- struct{}{}:
		default: // woken already
		}
	}
}
