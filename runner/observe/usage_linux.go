package observe

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// usage reads the CPU time in seconds of a process and its descendants, and the
// resident bytes of the process itself; ok is false when it has ended.
func usage(pid int) (cpu, resident float64, ok bool) {
	stat, err := statOf(pid)
	if err != nil {
		return 0, 0, false
	}
	const second = 100 // ticks: USER_HZ, as procfs has it
	return float64(withChildren(stat, generations)) / second, float64(stat.ResidentMemory()), true
}

// residentBytes reads how much memory a process takes up.
func residentBytes(pid int) (bytes float64, ok bool) {
	stat, err := statOf(pid)
	if err != nil {
		return 0, false
	}
	return float64(stat.ResidentMemory()), true
}

// generations bounds how deep the descendants of a process are looked for.
const generations = 8

// looks bounds how often the children of a process are looked at.
const looks = 3

// withChildren adds up the CPU time, in ticks, of a process and of its
// descendants, living or waited for: a target may be a shell that started the
// server, or a server that works in children. A child that ends leaves its time
// to its parent: where one did so after the parent was looked at, all are looked
// at again.
func withChildren(stat procfs.ProcStat, depth int) (ticks int) {
	for range looks {
		ticks = int(stat.UTime+stat.STime) + stat.CUTime + stat.CSTime //nolint:gosec // it takes thousands of years to overflow
		if depth == 0 {
			return ticks
		}
		for _, pid := range children(stat.PID) {
			if child, err := statOf(pid); err == nil && child.PPID == stat.PID && child.State != "X" { // of that the parent has the time
				ticks += withChildren(child, depth-1)
			}
		}
		after, err := statOf(stat.PID)
		if err != nil || after.CUTime == stat.CUTime && after.CSTime == stat.CSTime {
			break
		}
		stat = after
	}
	return ticks
}

func statOf(pid int) (procfs.ProcStat, error) {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return procfs.ProcStat{}, err
	}
	return proc.Stat()
}

// children lists the processes that a process has started; none where the
// kernel does not say.
func children(pid int) (pids []int) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
