package guard

import (
	"os"
	"time"

	"ordeal/targets/marked"
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
func NewMark() string { return marked.New(markName) }

// Inside reports whether this process is one of a control plane's own.
func Inside() bool { return os.Getenv(markName) != "" }

// Sweep kills every process other than this one that carries the mark, and waits until what was killed is dead.
func Sweep(mark string) {
	deadline := time.Now().Add(sweepWithin)
	for ; time.Now().Before(deadline) && len(marked.Kill(mark)) > 0; time.Sleep(sweepEvery) {
	}
	awaitTheDying(deadline)
}

// Marked lists the processes other than this one that carry the mark.
func Marked(mark string) []int { return marked.Find(mark) }
