package load

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWaiterOutlivesItsTimer: when the kernel's timer fails, the load goes on
// with another, and still ends with the run.
func TestWaiterOutlivesItsTimer(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fdWaiter){
		"cannot be set":  func(w *fdWaiter) { w.fd = -1 },
		"cannot be read": func(w *fdWaiter) { _ = w.file.Close(); w.fd = timerOf(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w, ok := newWaiter(ctx).(*fdWaiter)
			if !ok {
				t.Skip("the kernel has no timers to wait on")
			}
			defer w.close()
			fail(w)
			for range 2 {
				began := time.Now()
				if ok, took := w.wait(20*time.Millisecond), time.Since(began); !ok || took < 20*time.Millisecond {
					t.Errorf("%v after %v", ok, took)
				}
			}
			time.AfterFunc(20*time.Millisecond, cancel)
			if w.wait(time.Hour) {
				t.Error("a wait that was cancelled")
			}
		})
	}
}

// TestWaiterNeedsNoPoller: where nobody looks at what the kernel has to tell, as in
// a busy program, the runtime's own timer ends the wait.
func TestWaiterNeedsNoPoller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w, ok := newWaiter(ctx).(*fdWaiter)
	if !ok {
		t.Skip("the kernel has no timers to wait on")
	}
	defer w.close()
	w.fd = timerOf(t) // set in place of the one that is read
	for range 3 {
		began := time.Now()
		if ok, took := w.wait(20*time.Millisecond), time.Since(began); !ok || took < 20*time.Millisecond {
			t.Fatalf("%v after %v", ok, took)
		}
	}
	if w.next != nil {
		t.Error("it took the end of the wait for a failure")
	}
	if !w.busy {
		t.Error("it takes the program for idle, in which the kernel's timer is the first")
	}
}

// TestWaiterSeesAnIdleProgram: there the kernel's timer is exact again after one
// wait.
func TestWaiterSeesAnIdleProgram(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, ok := newWaiter(ctx).(*fdWaiter)
	if !ok {
		t.Skip("the kernel has no timers to wait on")
	}
	defer w.close()
	w.busy = true
	poll(func() bool { return !w.wait(2*time.Millisecond) || !w.busy })
	if w.busy || ctx.Err() != nil {
		t.Error("it takes the program for busy")
	}
}

// timerOf is a timer that can be set, and is nobody's.
func timerOf(t *testing.T) int {
	t.Helper()
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}
