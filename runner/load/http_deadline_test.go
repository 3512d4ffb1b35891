package load

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"ordeal/runner/evidence"
)

// TestDeadline: a call is ended when its own time is over, however the calls
// before it fell, and one that ended in time is not. Time goes by in the bubble
// alone: a busy machine delays no call.
func TestDeadline(t *testing.T) { synctest.Test(t, deadlines) }

func deadlines(t *testing.T) {
	const time1 = 50 * time.Millisecond
	clock := evidence.NewClock()
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	d := newDeadline(clock, near)
	defer d.stop()
	// Calls that begin all the time, for longer than one may take.
	for end := clock.Now() + 3*time1; clock.Now() < end; {
		d.begin(clock.Now() + time1)
		time.Sleep(time1 / 10) // how long the call takes
		if !d.end() {
			t.Fatal("a call that ended in time is overdue")
		}
	}
	time.Sleep(time1) // nobody calls for as long
	synctest.Wait()
	if d.armed.Load() {
		t.Error("the timer goes on without a call")
	}
	began := clock.Now()
	d.begin(began + time1)
	_ = near.SetReadDeadline(time.Now().Add(10 * time.Second)) // of the test
	_, err := near.Read(make([]byte, 1))
	if took := clock.Now() - began; !errors.Is(err, os.ErrDeadlineExceeded) || took != time1 {
		t.Errorf("%v after %v", err, took)
	}
	if d.end() {
		t.Error("a call that was ended is not overdue")
	}
}
