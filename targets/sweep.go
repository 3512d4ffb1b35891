package targets

import (
	"os"
	"slices"
	"strings"
	"time"

	"ordeal/targets/marked"
)

// markerName is the environment variable that marks the processes of a run with
// the run's own random value, whatever group or session they move to.
const markerName = "ORDEAL_RUN"

// sweepWithin bounds a sweep: processes may fork while they are ended.
const sweepWithin = 2 * time.Second

func newMarker() string { return marked.New(markerName) }

// unmarked is the environment of this process without the mark of a run that it
// may itself be a target of: the guard must outlive such a run's sweep.
func unmarked() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, markerName+"=") })
}

// sweep ends every process that carries the marker, also one that has left its
// group, and gives their command lines.
func sweep(marker string) []string {
	ended := map[int]string{}
	for deadline := time.Now().Add(sweepWithin); ; time.Sleep(probeEvery) {
		found := marked.Kill(marker)
		for pid, line := range found {
			ended[pid] = line
		}
		if len(found) == 0 || time.Now().After(deadline) {
			break
		}
	}
	var lines []string
	for _, line := range ended {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
