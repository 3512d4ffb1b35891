package verdict

import (
	"fmt"
	"strings"
)

// Target says what must have become of a target's processes.
type Target struct {
	Target   string      `yaml:"target" ref:"target" required:"true" doc:"the target that is judged, with all its replicas"`
	Alive    *bool       `yaml:"alive" doc:"true: no process ended on its own, and all are there at the end of the timeline; false: one did, or is not"`
	Restarts *CountLimit `yaml:"restarts" doc:"limit on how often its processes were started again, added up over the replicas"`
}

// Validate reports what is wrong with the expectation.
func (t *Target) Validate(bad func(field, format string, args ...any)) {
	if t.Alive == nil && t.Restarts == nil {
		bad("", `nothing to judge: want alive: true, or restarts: "= 1", or both`)
	}
}

// String is the expectation in one line.
func (t *Target) String() string {
	var parts []string
	if t.Alive != nil {
		parts = append(parts, map[bool]string{true: "stays alive", false: "does not stay alive"}[*t.Alive])
	}
	if t.Restarts != nil {
		parts = append(parts, "restarts "+t.Restarts.String())
	}
	return fmt.Sprintf("%s %s", t.Target, strings.Join(parts, ", "))
}
