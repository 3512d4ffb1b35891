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

// mostReadings is how often the groups are read until none of their processes ends meanwhile.
const mostReadings = 10

// readGroups reads the usage of every process group of the machine that is wanted. One that has no process has none.
// A process that ends leaves its time to its parent: read before and after that, it would be missing, or be there twice.
func readGroups(wanted map[int]bool) (map[int]usage, error) {
	for n := 1; ; n++ {
		members, err := membersOf(wanted)
		if err != nil {
			return nil, err
		}
		groups := map[int]usage{}
		whole := true
		for _, pid := range members {
			group, u, ok := read(pid)
			if whole = whole && ok; ok && wanted[group] {
				sum := groups[group]
				groups[group] = usage{sum.cpu + u.cpu, sum.memory + u.memory}
			}
		}
		for _, pid := range members {
			whole = whole && stat(pid) != nil
		}
		if whole || n == mostReadings {
			return groups, nil
		}
	}
}

// membersOf lists the processes of groups.
func membersOf(groups map[int]bool) (pids []int, err error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(dirs) == 0 {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir)) // the kernel names them by numbers
		if fields := stat(pid); fields != nil && groups[fields.group()] {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// read reads the group of a process and what it has used, with what those of its children had that it has waited for;
// false where it has ended.
func read(pid int) (group int, u usage, ok bool) {
	fields := stat(pid)
	if fields == nil {
		return 0, usage{}, false
	}
	own, ok := cpuOf(pid)
	if !ok {
		own = ticked(fields.number(fieldUser) + fields.number(fieldSystem))
	}
	return fields.group(), usage{
		cpu:    own + ticked(fields.number(fieldChildUser)+fields.number(fieldChildSystem)),
		memory: fields.number(fieldPages) * int64(os.Getpagesize()),
	}, true
}

// statFields are what the kernel tells of a process.
type statFields [][]byte

// stat is nil for a process that has ended, and that its parent has waited for.
func stat(pid int) statFields {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= fieldPages || fields[0][0] == 'X' { // its parent is just about to have its time
		return nil
	}
	return fields
}

func (f statFields) number(i int) int64 {
	n, _ := strconv.ParseInt(string(f[i]), 10, 64) // the kernel writes numbers
	return n
}

func (f statFields) group() int { return int(f.number(fieldGroup)) }

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
