package observe

import "github.com/prometheus/procfs"

// usage reads the CPU time in seconds and the resident bytes of a process; ok is
// false when it has ended meanwhile.
func usage(pid int) (cpu, resident float64, ok bool) {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return 0, 0, false
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, 0, false
	}
	return stat.CPUTime(), float64(stat.ResidentMemory()), true
}
