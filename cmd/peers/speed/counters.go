package speed

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// counters are what a server tells of its work, in memory that it shares with
// the one who measures: to read them costs the server nothing.
type counters struct {
	calls atomic.Int64 // that arrived
	_     [120]byte    // the two are written by different goroutines
	conns atomic.Int64 // that are open
	// Whether calls come evenly is looked at where the rate is fixed.
	bunch   atomic.Int64 // ns after a call within which the next one is bunched; 0: not looked at
	last    atomic.Int64 // when the last call arrived, ns
	bunched atomic.Int64 // calls that arrived within bunch of the one before
}

// arrived counts a call.
func (c *counters) arrived() {
	c.calls.Add(1)
	bunch := c.bunch.Load()
	if bunch == 0 {
		return
	}
	now := time.Now().UnixNano()
	if now-c.last.Swap(now) < bunch {
		c.bunched.Add(1)
	}
}

// createCounters makes counters in a file that a child can inherit.
func createCounters(dir string) (*counters, *os.File, error) {
	f, err := os.CreateTemp(dir, "counters")
	if err != nil {
		return nil, nil, fmt.Errorf("make a file for counters: %w", err)
	}
	if err := f.Truncate(int64(unsafe.Sizeof(counters{}))); err != nil {
		f.Close() //nolint:errcheck // the first error is told
		return nil, nil, fmt.Errorf("make room for counters: %w", err)
	}
	c, err := openCounters(f)
	if err != nil {
		f.Close() //nolint:errcheck // the first error is told
		return nil, nil, err
	}
	return c, f, nil
}

// openCounters maps the counters of a file. They stay mapped to the end of the
// process.
func openCounters(f *os.File) (*counters, error) {
	size := int(unsafe.Sizeof(counters{}))
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("share memory for counters: %w", err)
	}
	return (*counters)(unsafe.Pointer(&mem[0])), nil
}
