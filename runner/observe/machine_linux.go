package observe

import "github.com/prometheus/procfs"

// machine reads /proc/stat.
func machine() (m machineTimes, ok bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return m, false
	}
	stat, err := fs.Stat()
	if err != nil {
		return m, false
	}
	all := stat.CPUTotal
	m.modes = []machineMode{
		{"user", all.User}, {"nice", all.Nice}, {"system", all.System}, {"idle", all.Idle},
		{"iowait", all.Iowait}, {"irq", all.IRQ}, {"softirq", all.SoftIRQ}, {"steal", all.Steal},
	}
	m.cpus = len(stat.CPU)
	return m, m.cpus > 0
}

// pressure reads for how long in all, in seconds, something that could run had
// to wait for a processor. Kernels without pressure stall information do not say.
func pressure() (waited float64, ok bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, false
	}
	psi, err := fs.PSIStatsForResource("cpu")
	if err != nil || psi.Some == nil {
		return 0, false
	}
	return float64(psi.Some.Total) / 1e6, true
}
