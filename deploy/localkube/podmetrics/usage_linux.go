package podmetrics

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a process group has used.
type usage struct {
	cpu    time.Duration // since its processes began, of those that ended too where their parents are in the group
	memory int64         // bytes that are resident now
}

// ticks are the kernel's clock ticks a second, the same on every Linux.
const ticks = 100

// fields of /proc/PID/stat after the command, counted from the state.
const (
	fieldGroup                         = 2
	fieldChildUser, fieldChildSystem   = 13, 14
	fieldUser, fieldSystem, fieldPages = 11, 12, 21
)

// readGroups reads the usage of every process group of the machine that is wanted. One that has no process has none.
func readGroups(wanted map[int]bool) (map[int]usage, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(dirs) == 0 {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	groups := map[int]usage{}
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended
		}
		end := bytes.LastIndexByte(text, ')')
		if end < 0 {
			continue
		}
		fields := bytes.Fields(text[end+1:])
		if len(fields) <= fieldPages {
			continue
		}
		number := func(i int) int64 {
			n, _ := strconv.ParseInt(string(fields[i]), 10, 64) // the kernel writes numbers
			return n
		}
		group := int(number(fieldGroup))
		if !wanted[group] {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		u := groups[group]
		own, ok := cpuOf(pid)
		if !ok {
			own = ticked(number(fieldUser) + number(fieldSystem))
		}
		u.cpu += own + ticked(number(fieldChildUser)+number(fieldChildSystem))
		u.memory += number(fieldPages) * int64(os.Getpagesize())
		groups[group] = u
	}
	return groups, nil
}

func ticked(n int64) time.Duration { return time.Duration(n) * (time.Second / ticks) }

// cpuOf is the CPU time of a process by its own clock, which is finer than the ticks.
func cpuOf(pid int) (time.Duration, bool) {
	const scheduled = 2 // CPUCLOCK_SCHED, of the whole process
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduled, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
