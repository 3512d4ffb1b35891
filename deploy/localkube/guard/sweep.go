package guard

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// markName is the environment variable that marks the processes of a control plane with its own random value,
// whatever group or session they move to.
const markName = "LOCALKUBE_MARK"

// A sweep looks again until it finds nothing, for processes may fork while they are ended; within bounds.
const (
	sweepEvery  = 5 * time.Millisecond
	sweepWithin = 2 * time.Second
)

// NewMark is a mark that no process carries yet, as NAME=VALUE.
func NewMark() string { return markName + "=" + rand.Text() }

// Inside reports whether this process is one of a control plane's own.
func Inside() bool { return os.Getenv(markName) != "" }

// Sweep kills every process other than this one that carries the mark, and waits until what was killed is dead.
func Sweep(mark string) {
	deadline := time.Now().Add(sweepWithin)
	for ; time.Now().Before(deadline) && len(kill(mark)) > 0; time.Sleep(sweepEvery) {
	}
	awaitTheDying(deadline)
}

// Marked lists the processes other than this one that carry the mark.
func Marked(mark string) []int {
	var found []int
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed: no error
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && pid != os.Getpid() && marked(pid, mark) {
			found = append(found, pid)
		}
	}
	return found
}

// kill sends SIGKILL to the processes that carry the mark, and gives those that it was sent to.
func kill(mark string) []int {
	var found []int
	for _, pid := range Marked(mark) {
		p, err := os.FindProcess(pid) // a handle: the id may be another's by the time of the signal
		if err != nil {
			continue
		}
		if marked(pid, mark) && p.Signal(syscall.SIGKILL) == nil {
			found = append(found, pid)
		}
		_ = p.Release() // nothing of it is kept
	}
	return found
}

// marked reports whether a process that is not dead carries the mark. The environment of others' processes cannot be
// read, and that of the dead is empty.
func marked(pid int, mark string) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if string(v) == mark {
			return true
		}
	}
	return false
}
