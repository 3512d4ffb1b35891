package main

import (
	"os"
	"runtime/debug"
)

// readingMemory is what judging and reporting may take of memory before the
// collector works harder for it. What they need does not grow with the run
// beyond a certain size, but what they leave behind while they read does.
const readingMemory = 192 << 20

// boundMemory sets the soft limit on memory until it is restored, unless
// GOMEMLIMIT says something of it, be it that there is none.
func boundMemory() (restore func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(readingMemory)
	return func() { debug.SetMemoryLimit(before) }
}
