package main

import (
	"math"
	"runtime/debug"
)

// readingMemory is what judging and reporting may take of memory before the
// collector works harder for it. What they need does not grow with the run
// beyond a certain size, but what they leave behind while they read does.
const readingMemory = 192 << 20

// boundMemory sets the soft limit on memory, unless GOMEMLIMIT did.
func boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(readingMemory)
	}
}
