package load

import "github.com/KimMachineGun/automemlimit/memlimit"

// memory is what the process may have of it, in bytes; 0 is for a number that is
// not known.
type memory struct {
	machine uint64 // that there is
	group   uint64 // that the control groups of the process leave to it; 0 also for all
}

// memoryAtHand finds out. An error means that a number is not known.
func memoryAtHand() memory {
	machine, _ := memlimit.FromSystem()
	group, _ := memlimit.FromCgroup()
	return memory{machine: machine, group: group}
}

// least is the lesser of those that are known.
func (m memory) least() uint64 {
	if m.machine == 0 || m.group == 0 {
		return max(m.machine, m.group)
	}
	return min(m.machine, m.group)
}
