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
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return 0, 0, false
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, 0, false
	}
	return withChildren(stat, generations), float64(stat.ResidentMemory()), true
}

// residentBytes reads how much memory a process takes up.
func residentBytes(pid int) (bytes float64, ok bool) {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return 0, false
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, false
	}
	return float64(stat.ResidentMemory()), true
}

// generations bounds how deep the descendants of a process are looked for.
const generations = 8

// withChildren adds up the CPU time of a process and of its descendants, living
// or waited for: a target may be a shell that started the server, or a server
// that works in children.
func withChildren(stat procfs.ProcStat, depth int) (seconds float64) {
	const ticks = 100 // a second; USER_HZ, as procfs has it
	seconds = stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/ticks
	if depth == 0 {
		return seconds
	}
	for _, pid := range children(stat.PID) {
		proc, err := procfs.NewProc(pid)
		if err != nil {
			continue // it has ended
		}
		if child, err := proc.Stat(); err == nil && child.PPID == stat.PID {
			seconds += withChildren(child, depth-1)
		}
	}
	return seconds
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
