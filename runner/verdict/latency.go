package verdict

import (
	"fmt"
	"strings"
)

// Latency bounds percentiles of a load's response time, which is measured from
// the intended start of each call, or of its service time, measured from the
// actual send.
type Latency struct {
	Load   string         `yaml:"load" ref:"load" required:"true" doc:"the load whose calls are judged"`
	During Phases         `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Of     string         `yaml:"of" enum:"response,service" default:"response" doc:"response time, from the intended start, or service time, from the actual send"`
	P50    *DurationLimit `yaml:"p50" doc:"limit on the median"`
	P75    *DurationLimit `yaml:"p75" doc:"limit on the 75th percentile"`
	P90    *DurationLimit `yaml:"p90" doc:"limit on the 90th percentile"`
	P95    *DurationLimit `yaml:"p95" doc:"limit on the 95th percentile"`
	P99    *DurationLimit `yaml:"p99" doc:"limit on the 99th percentile; needs 1,000 calls"`
	P999   *DurationLimit `yaml:"p99.9" doc:"limit on the 99.9th percentile; needs 10,000 calls"`
	P9999  *DurationLimit `yaml:"p99.99" doc:"limit on the 99.99th percentile; needs 100,000 calls"`
	Max    *DurationLimit `yaml:"max" doc:"limit on the slowest call"`
	Mean   *DurationLimit `yaml:"mean" doc:"limit on the arithmetic mean"`
}

// figure is one number that is asked for.
type figure struct {
	name  string
	p     float64 // percentile; 100 is the maximum, -1 the mean
	limit *DurationLimit
}

const meanFigure = -1

func (l *Latency) figures() []figure {
	var asked []figure
	for _, f := range []figure{
		{"p50", 50, l.P50}, {"p75", 75, l.P75}, {"p90", 90, l.P90}, {"p95", 95, l.P95}, {"p99", 99, l.P99},
		{"p99.9", 99.9, l.P999}, {"p99.99", 99.99, l.P9999}, {"max", 100, l.Max}, {"mean", meanFigure, l.Mean},
	} {
		if f.limit != nil {
			asked = append(asked, f)
		}
	}
	return asked
}

// Validate reports what is wrong with the expectation.
func (l *Latency) Validate(bad func(field, format string, args ...any)) {
	if len(l.figures()) == 0 {
		bad("", `nothing to judge: want a limit on at least one of p50, p75, p90, p95, p99, p99.9, p99.99, max or mean, such as p99: "< 50ms"`)
	}
}

// String is the expectation in one line.
func (l *Latency) String() string {
	var parts []string
	for _, f := range l.figures() {
		parts = append(parts, f.name+" "+f.limit.String())
	}
	of := ""
	if l.Of == "service" {
		of = "service time "
	}
	return fmt.Sprintf("%s %s%s %s", l.Load, of, strings.Join(parts, ", "), l.During)
}
