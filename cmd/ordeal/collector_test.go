package main

import (
	"runtime/debug"
	"testing"
)

func TestEaseCollector(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	easeCollector()
	if n, m := debug.SetGCPercent(100), debug.SetMemoryLimit(limit); n != collectorPercent || m != collectorLimit {
		t.Errorf("GOGC %d, limit %d", n, m)
	}
	t.Setenv("GOGC", "50")
	t.Setenv("GOMEMLIMIT", "1GiB")
	easeCollector()
	if n, m := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); n != 100 || m != limit {
		t.Errorf("the environment asks for something else: GOGC %d, limit %d", n, m)
	}
}
