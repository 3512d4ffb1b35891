package load

import (
	"context"
	"time"
)

// waiter waits for the start of the next call.
type waiter interface {
	// wait returns after d, or false as soon as the context is done. It is called
	// from one goroutine.
	wait(d time.Duration) bool
	close()
}

// timerWaiter waits on a timer of the runtime. An idle program is woken for
// those on whole milliseconds only.
type timerWaiter struct {
	ctx   context.Context
	timer *time.Timer
}

func newTimerWaiter(ctx context.Context) *timerWaiter {
	w := &timerWaiter{ctx, time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

func (w *timerWaiter) wait(d time.Duration) bool {
	w.timer.Reset(d)
	defer w.timer.Stop()
	select {
	case <-w.timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

func (w *timerWaiter) close() { w.timer.Stop() }
