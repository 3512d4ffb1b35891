//go:build !linux

package target

import "time"

// monotonic is the wall clock: processes share no other that Go can read here.
// A step of it during a run is noticed, and the run does not count.
func monotonic() time.Duration { return time.Duration(time.Now().UnixNano()) }
