package target

import "time"

// Clock reads the machine's monotonic clock, which all its processes share: a
// reading here and one in the load generator can be subtracted. The kernel is
// asked once; after that the readings are the Go runtime's, of the same clock.
type Clock struct {
	at   time.Time
	mono time.Duration
}

// NewClock ties the runtime's clock to the kernel's.
func NewClock() Clock {
	var best Clock
	closest := time.Duration(1<<63 - 1)
	for range 16 {
		before := time.Now()
		mono := monotonic()
		took := time.Since(before)
		if took < closest {
			closest, best = took, Clock{before.Add(took / 2), mono}
		}
	}
	return best
}

// Now is the time since the machine's clock began.
func (c Clock) Now() time.Duration { return c.At(time.Now()) }

// At is Now at a time that carries a monotonic reading.
func (c Clock) At(t time.Time) time.Duration { return c.mono + t.Sub(c.at) }
