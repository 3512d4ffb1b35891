package load

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// fdWaiter waits on a timer of the kernel, read through the runtime's poller.
// That wakes an idle program within tens of microseconds, where a timer of the
// runtime takes up to a millisecond: a send lag that would be measured as a
// part of every response time. A busy program looks at the poller late, where no
// goroutine is left to be run, and then has those that came with it run before;
// it looks at its own timers all the time, and runs what waits for one at once:
// the deadline of the read is one. Nothing spins, and no thread is blocked.
type fdWaiter struct {
	ctx  context.Context
	fd   int
	file *os.File // of fd
	stop func() bool
	busy bool         // the program is: the runtime's timer is the better one
	next *timerWaiter // that waits instead, once the kernel's timer has failed
}

func newWaiter(ctx context.Context) waiter {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return newTimerWaiter(ctx)
	}
	file := os.NewFile(uintptr(fd), "timer")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // not in the poller
		_ = file.Close()
		return newTimerWaiter(ctx)
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	return &fdWaiter{ctx: ctx, fd: fd, file: file, stop: stop}
}

func (w *fdWaiter) wait(d time.Duration) bool {
	if w.next != nil {
		return w.next.wait(d)
	}
	began := time.Now()
	if err := w.expire(d); err != nil && w.ctx.Err() == nil {
		// Only the end of the run ends a load: it goes on with a worse timer.
		w.next = newTimerWaiter(w.ctx)
		return w.next.wait(max(d-time.Since(began), 0))
	}
	return w.ctx.Err() == nil
}

// In a busy program, the kernel's timer is given so much more, that the runtime's
// ends the wait; an idle one is that much late, once.
const behind = 100 * time.Microsecond

// expire sets both timers and waits for either.
func (w *fdWaiter) expire(d time.Duration) error {
	kernel := max(d, 1) // 0 would switch it off
	if w.busy {
		kernel += behind
	}
	setting := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(kernel))}
	if err := unix.TimerfdSettime(w.fd, 0, &setting, nil); err != nil {
		return err
	}
	until := time.Now().Add(d)
	if err := w.file.SetReadDeadline(until); err != nil {
		return err
	}
	if err := w.ctx.Err(); err != nil { // its deadline may have come before this one
		return err
	}
	var expirations [8]byte
	_, err := w.file.Read(expirations[:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.busy = true
		return nil
	}
	w.busy = !w.busy && time.Since(until) > 2*behind
	return err
}

func (w *fdWaiter) close() {
	w.stop()
	_ = w.file.Close()
	if w.next != nil {
		w.next.close()
	}
}
