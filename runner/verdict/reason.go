package verdict

import (
	"fmt"
	"strconv"
	"time"
)

// reason is why calls of a load were late, or not sent.
type reason int

const (
	unexplained   reason = iota // workers were free, and nothing that was recorded says what kept the generator
	slowTarget                  // all workers were taken by calls that the target had not answered
	fullGenerator               // the generator used all the cores that it may use
	takenMachine                // processes that are not of the run used the machine
	stolenMachine               // the machine is a guest, and its host used its cores
	sharedMachine               // the generator used more of a full machine than the targets
	lateScheduler               // goroutines of the generator waited for a core
	collection                  // garbage collection stopped the generator
	slowDisk                    // evidence had to wait until the disk took it
)

// What counts as evidence against the generator and its machine, as shares of
// the cores that there are.
const (
	fullShare   = 0.90 // used of its GOMAXPROCS
	idleShare   = 0.10 // idle of the machine, at most
	takenEnough = 0.25 // used by others
	stolenShare = 0.10
	ownShare    = 0.30 // used by the generator, beside targets that use less
)

// A wait of goroutines for a core that is not worth a word.
const smallWait = 2 * time.Millisecond

// reason looks for the reason. Workers that are all taken are no evidence
// against the target as long as the generator may have been what kept their
// answers from being read.
func (l late) reason() reason {
	s, byWorkers := l.strain, l.workersTaken()
	waits := l.service / 4
	if !byWorkers && !l.closed {
		waits = l.p99 / 10
	}
	switch {
	case s.procs > 0 && s.used >= fullShare*s.procs:
		return fullGenerator
	case s.full() && s.stolen >= stolenShare*s.cpus:
		return stolenMachine
	case s.full() && s.others >= takenEnough*s.cpus:
		return takenMachine
	case s.full() && s.used >= ownShare*s.cpus && s.used >= s.targets:
		return sharedMachine
	case s.sched >= smallWait && s.sched >= waits:
		return lateScheduler
	case byWorkers:
		return slowTarget
	case s.pause >= smallLag/2 && s.pause >= l.p99/2:
		return collection
	case l.waits > 0:
		return slowDisk
	}
	return unexplained
}

// byTarget reports whether the target's slowness explains the lateness.
func (l late) byTarget() bool { return l.unknown == "" && l.reason() == slowTarget }

// words are what is said of a reason: what was, and what to do about it.
func (l late) words() (what, todo string) {
	s := l.strain
	switch l.reason() {
	case slowTarget:
		return fmt.Sprintf("all %d workers were taken by calls that the target had not answered", l.workers), "raise workers or lower the rate"
	case fullGenerator:
		return fmt.Sprintf("the generator used %s of its %s (GOMAXPROCS=%.0f)", formatCores(s.used), several(int64(s.procs+0.5), "core"), s.procs),
			"give it more cores or " + l.less()
	case takenMachine:
		who := "other processes"
		if l.external {
			who = "processes that are not of this run (the target among them if it runs here)"
		}
		return fmt.Sprintf("%s used %s of the machine's %s", who, formatCores(s.others), several(int64(s.cpus+0.5), "core")),
			"run it on a quiet machine"
	case stolenMachine:
		return fmt.Sprintf("the host of this virtual machine took %s of its %s", formatCores(s.stolen), several(int64(s.cpus+0.5), "core")),
			"run it where it has cores of its own"
	case sharedMachine:
		return fmt.Sprintf("the generator used %s and the targets %s of the machine's %s, and none was left",
			formatCores(s.used), formatCores(s.targets), several(int64(s.cpus+0.5), "core")), "give the targets a machine of their own or " + l.less()
	case lateScheduler:
		return fmt.Sprintf("goroutines of the generator waited %s (p99) for a core", formatDuration(s.sched)), "give it more cores or " + l.less()
	case collection:
		return fmt.Sprintf("garbage collection stopped the generator for up to %s", formatDuration(s.pause)),
			"let it use more memory (GOGC) or " + l.less()
	case slowDisk:
		return "evidence had to wait for the disk: " + times(int(l.waits)), "write it to a faster disk (--out) or " + l.less()
	}
	if l.unknown != "" {
		return "nothing is known of the reason: " + l.unknown, "give the generator more CPU or " + l.less()
	}
	return "the generator did not keep up while it had workers to spare", "give it more CPU or " + l.less()
}

func (l late) less() string {
	if l.closed {
		return "take fewer clients"
	}
	return "lower the rate"
}

// because is a sentence's end: what was, and what to do.
func (l late) because() string {
	what, todo := l.words()
	return what + "; " + todo
}

// formatCores writes a number of cores as people say it: "0.98", "1.3".
func formatCores(v float64) string {
	digits := 1
	if v < 1 {
		digits = 2
	}
	return trimZeros(strconv.FormatFloat(v, 'f', digits, 64))
}

// heldUp reports whether the clients of a closed model waited for the generator
// rather than for answers: where it used all its cores, or where waits for a core
// made up a good part of what a call took.
func (l late) heldUp() bool {
	switch l.reason() {
	case fullGenerator, lateScheduler:
		return true
	case takenMachine, stolenMachine, sharedMachine:
		return l.strain.sched >= smallWait && l.strain.sched >= l.service/4
	}
	return false
}
