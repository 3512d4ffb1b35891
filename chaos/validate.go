package chaos

import "time"

// badFunc takes an error of a spec: the YAML name of the field at fault, ""
// for the whole, and what is wrong with it.
type badFunc = func(field, format string, args ...any)

func checkDelay(bad badFunc, field string, d time.Duration) {
	switch {
	case d < 0:
		bad(field, "want a time of 0s or more, not %s", d)
	case d > maxDelay:
		bad(field, "want at most %s, not %s", maxDelay, d)
	}
}

func checkShare(bad badFunc, s Share) {
	if s != 0 && !(s > 0 && s <= 100) {
		bad("share", "want a share above 0%% and up to 100%%, not %g%%", float64(s))
	}
}

func checkDirection(bad badFunc, d string) {
	switch d {
	case "", up, down, both:
	default:
		bad("direction", "want up, down or both, not %q", d)
	}
}

func checkReplica(bad badFunc, n int) {
	if n < 0 {
		bad("replica", "want the number of a replica, counted from 1, not %d", n)
	}
}
