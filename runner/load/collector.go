package load

import (
	"math"
	"os"
	"runtime/debug"
)

const (
	collectorPercent = 400 // GOGC
	collectorShare   = 4   // this part of the machine's memory is the limit
)

// EaseCollector lets the garbage of calls pile up for longer before it is
// collected, until it is restored: little is live while load is made, Vegeta and
// ghz leave garbage for each call, and a collection takes time from the calls
// under way. So that a load with very many clients does not take five times what
// it holds from a machine that has not as much, memory has a soft limit: a quarter
// of the machine's, or none where that is not known. GOGC and GOMEMLIMIT in the
// environment go before.
func EaseCollector() (restore func()) {
	setPercent, setLimit := os.Getenv("GOGC") == "", os.Getenv("GOMEMLIMIT") == ""
	var percent int
	var limit int64
	if setPercent {
		percent = debug.SetGCPercent(collectorPercent)
	}
	if setLimit {
		limit = debug.SetMemoryLimit(collectorLimit(machineMemory()))
	}
	return func() {
		if setPercent {
			debug.SetGCPercent(percent)
		}
		if setLimit {
			debug.SetMemoryLimit(limit)
		}
	}
}

// collectorLimit is the limit on a machine with so many bytes of memory; 0 is
// for a number that is not known.
func collectorLimit(machine uint64) int64 {
	if machine == 0 {
		return math.MaxInt64
	}
	return int64(machine / collectorShare)
}
