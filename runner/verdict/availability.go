package verdict

import (
	"fmt"
)

// Availability compares the share of good calls with an objective, and counts
// the failures that the objective allows against those that were spent.
type Availability struct {
	Load     string  `yaml:"load" ref:"load" required:"true" doc:"the load whose calls are judged"`
	Over     Phases  `yaml:"over" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	AtLeast  *Share  `yaml:"at_least" required:"true" doc:"the objective: the share of calls that must be good, such as 99.9%"`
	Classes  []Class `yaml:"classes" doc:"outcomes that count as failures; with codes, either is enough; every outcome but ok where both are absent"`
	Codes    []int   `yaml:"codes" doc:"HTTP statuses or gRPC codes that count as failures"`
	Degraded bool    `yaml:"degraded" doc:"also count answers that were not the real ones, such as a fallback"`
}

// Validate reports what is wrong with the expectation.
func (a *Availability) Validate(bad func(field, format string, args ...any)) {
	if a.AtLeast != nil && *a.AtLeast == 0 {
		bad("at_least", "an objective of 0%% is always met")
	}
}

// String is the expectation in one line.
func (a *Availability) String() string {
	objective := ""
	if a.AtLeast != nil {
		objective = a.AtLeast.String()
	}
	return fmt.Sprintf("%s availability >= %s %s", a.Load, objective, a.Over)
}
