package verdict

import (
	"fmt"
	"time"
)

// Recovery bounds the time from the heal of a fault until a load is back at
// its steady level, and stays there: the share of bad calls and a percentile of
// the response time, over a sliding second, near those of a phase without
// faults.
type Recovery struct {
	Load           string        `yaml:"load" ref:"load" required:"true" doc:"the load that must recover"`
	After          string        `yaml:"after" ref:"phase" doc:"the phase whose faults it recovers from; the last phase with a fault where absent"`
	Within         time.Duration `yaml:"within" required:"true" doc:"the longest time that recovery may take, from the heal of the last fault of that phase"`
	Steady         string        `yaml:"steady" ref:"phase" doc:"the phase that shows the steady level; the last complete phase without faults before the fault where absent"`
	Hold           time.Duration `yaml:"hold" default:"3s" doc:"how long it must stay at the steady level to count as recovered"`
	ErrorsAbove    *Share        `yaml:"errors_above" default:"1%" doc:"how much the share of bad calls may lie above the steady phase's"`
	LatencyFactor  float64       `yaml:"latency_factor" default:"2" doc:"how many times the steady phase's percentile the response time may be"`
	LatencyAbove   time.Duration `yaml:"latency_above" default:"50ms" doc:"how much the response time may lie above the steady phase's percentile, where that is more than the factor allows"`
	AcceptDegraded bool          `yaml:"accept_degraded" doc:"a degraded answer, such as a fallback, counts as recovered"`
}

// Validate reports what is wrong with the expectation.
func (r *Recovery) Validate(bad func(field, format string, args ...any)) {
	if r.Within <= 0 {
		bad("within", "want a duration above zero, such as 8s")
	}
	if r.Hold < 0 {
		bad("hold", "want a duration of at least 1s")
	} else if r.Hold > 0 && r.Hold < time.Second {
		bad("hold", "%s is too short to tell a level: want at least 1s", r.Hold)
	}
	if r.LatencyFactor != 0 && r.LatencyFactor < 1 {
		bad("latency_factor", "%g is below 1: the recovered level would have to be better than the steady one", r.LatencyFactor)
	}
	if r.LatencyAbove < 0 {
		bad("latency_above", "want a duration that is not negative")
	}
	if r.After != "" && r.After == r.Steady {
		bad("steady", "phase %s cannot show the level that it must recover to itself", r.After)
	}
}

// String is the expectation in one line.
func (r *Recovery) String() string {
	after := ""
	if r.After != "" {
		after = " after " + r.After
	}
	return fmt.Sprintf("%s recovers within %s%s", r.Load, r.Within, after)
}
