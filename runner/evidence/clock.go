package evidence

import "time"

// Clock gives offsets from a base instant, read from the monotonic clock.
type Clock struct{ base time.Time }

// NewClock starts a clock: now is offset zero.
func NewClock() Clock { return Clock{base: time.Now()} }

// Base is the instant of offset zero; it carries a wall and a monotonic reading.
func (c Clock) Base() time.Time { return c.base }

// Now is the present offset.
func (c Clock) Now() time.Duration { return time.Since(c.base) }

// At is the offset of t, which must carry a monotonic reading to be free of
// steps of the wall clock.
func (c Clock) At(t time.Time) time.Duration { return t.Sub(c.base) }
