package main

import (
	"os"
	"runtime/debug"
)

// easeCollector lets the garbage of calls pile up for longer before it is
// collected: what is live while a run goes on is some 20 MiB, and Vegeta and ghz
// leave a few KB for each call. A collection takes time from the calls under
// way. It measured 15 to 30 % of the processor time of an open load at 5,000/s.
// The limit keeps a run with very many clients from taking five times what it
// holds. GOGC and GOMEMLIMIT in the environment go before.
func easeCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectorPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(collectorLimit)
	}
}

const (
	collectorPercent = 400
	collectorLimit   = 2 << 30
)
