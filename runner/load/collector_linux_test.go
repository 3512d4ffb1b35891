package load

import (
	"math"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEaseCollector(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		t.Fatal(err)
	}
	most := collectorLimit(memory{machine: info.Totalram * uint64(info.Unit), group: memoryAtHand().group})
	for name, c := range map[string]struct {
		gogc, gomemlimit string
		percent          int
		limit            int64
	}{
		"nothing is asked for": {"", "", 400, most},
		"GOGC":                 {"50", "", 77, most},
		"GOGC=off":             {"off", "", 77, most},
		"GOMEMLIMIT":           {"", "1GiB", 400, 5 << 30},
		"GOMEMLIMIT=off":       {"", "off", 400, 5 << 30},
		"both":                 {"50", "1GiB", 77, 5 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetGCPercent(77) // as if by the environment
			debug.SetMemoryLimit(5 << 30)
			t.Setenv("GOGC", c.gogc)
			t.Setenv("GOMEMLIMIT", c.gomemlimit)
			restore := EaseCollector()
			n, m := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
			debug.SetGCPercent(n)
			// The kernel gives whole KiB to one and whole pages to the other.
			if n != c.percent || max(m-c.limit, c.limit-m) > 1<<20 {
				t.Errorf("GOGC %d, a limit of %d; want %d and %d", n, m, c.percent, c.limit)
			}
			restore()
			if n, m := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); n != 77 || m != 5<<30 {
				t.Errorf("restored to GOGC %d and a limit of %d, want those from before", n, m)
			}
		})
	}
}
