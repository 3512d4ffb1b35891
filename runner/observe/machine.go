package observe

// machineTimes is how the machine's processors spent their time since it was
// started, in seconds added up over all of them, by mode. Time spent for guests
// is in user and nice.
type machineTimes struct {
	modes []machineMode
	cpus  int
}

type machineMode struct {
	name    string
	seconds float64
}

// putMachine records what the machine as a whole does: a generator on a machine
// that is busy with other work measures that work. Where the system does not
// tell, the series are absent.
func putMachine(put func(name, labels string, v float64)) {
	if m, ok := machine(); ok {
		for _, mode := range m.modes {
			put("machine_cpu_seconds_total", `mode="`+mode.name+`"`, mode.seconds)
		}
		put("machine_cpus", "", float64(m.cpus))
	}
	if waited, ok := pressure(); ok {
		put("machine_cpu_pressure_seconds_total", "", waited)
	}
}
