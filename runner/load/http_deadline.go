package load

import (
	"net"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// deadline ends what is read and written on a connection when a call's time is
// over. To give the connection a deadline for each call would cost a timer each;
// here one timer runs on while calls come and go, and is set again when it finds
// that the call it was set for has ended.
type deadline struct {
	clock evidence.Clock
	conn  net.Conn
	timer *time.Timer
	armed atomic.Bool  // the timer runs
	until atomic.Int64 // on the clock, of the call under way; 0 for none, or overdue
}

// overdue says that the time of a call was over. The connection is of no use any
// more.
const overdue = -1

func newDeadline(clock evidence.Clock, conn net.Conn) *deadline {
	d := &deadline{clock: clock, conn: conn}
	d.timer = time.AfterFunc(time.Hour, d.look)
	d.timer.Stop()
	return d
}

// begin gives a call until a time on the clock. The calls of a connection have the
// same time each, so that the timer is never set for later than the next one's end.
func (d *deadline) begin(until time.Duration) {
	d.until.Store(int64(until))
	if !d.armed.Load() && d.armed.CompareAndSwap(false, true) {
		d.timer.Reset(until - d.clock.Now())
	}
}

// end says that the call has ended, and reports whether it was in time.
func (d *deadline) end() bool { return d.until.Swap(0) != overdue }

// look is called by the timer.
func (d *deadline) look() {
	for {
		now := d.clock.Now()
		switch until := d.until.Load(); {
		case until == overdue:
			return
		case until == 0: // the next call sets the timer
			d.armed.Store(false)
			if d.until.Load() == 0 || !d.armed.CompareAndSwap(false, true) {
				return
			}
		case int64(now) < until:
			d.timer.Reset(time.Duration(until) - now)
			return
		case d.until.CompareAndSwap(until, overdue):
			_ = d.conn.SetDeadline(time.Unix(1, 0)) // fails only where it is closed
			return
		}
	}
}

// stop ends the timer.
func (d *deadline) stop() { d.timer.Stop() }
