package verdict

import (
	"fmt"
	"strings"
	"time"

	"ordeal/runner/evidence"
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

	AcceptFailed bool `yaml:"accept_failed" doc:"judge the times even where no call succeeded: for calls that are meant to be turned away"`
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

func (l *Latency) rests(*evidence.Run) basis { return basis{load: l.Load, phases: l.During} }

// Judge compares each percentile with its limit.
func (l *Latency) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "latency", Name: l.String() + closedNote(run, l.Load), Load: l.Load, Phase: l.During.label()}
	_, stats, why := l.During.calls(run, l.Load)
	if why != "" {
		return v.unknown("%s", why)
	}
	if stats.OK() == 0 && !l.AcceptFailed {
		return v.unknown("none of the %d calls %s succeeded, so their times say nothing", stats.Calls, l.During)
	}
	asked := l.figures()
	if len(asked) == 0 {
		return v.unknown("no limit is given")
	}
	var parts []Part
	worst := v
	for i, f := range asked {
		one := l.judgeFigure(v, run, stats, f)
		if i == 0 || one.Status > worst.Status {
			worst = one
		}
		parts = append(parts, Part{Name: f.name, Status: one.Status, Measured: one.Measured, Limit: one.Limit, Why: one.Why})
	}
	if len(parts) > 1 {
		worst.Parts = parts
	}
	return worst
}

func (l *Latency) judgeFigure(v Verdict, run *evidence.Run, stats *evidence.Stats, f figure) Verdict {
	times := stats.Response
	if l.Of == "service" {
		times = stats.Service
	}
	value, enough := f.of(times)
	if !enough {
		return tooFew(v, times, f)
	}
	v = v.against(f.limit.limit, value.Seconds())
	if l.Of == "service" {
		return v.failing("the %s service time is %s", f.name, v.Measured)
	}
	service, _ := f.of(stats.Service)
	if f.limit.holds(service.Seconds()) == f.limit.holds(value.Seconds()) {
		return v.failing("the %s response time is %s", f.name, v.Measured)
	}
	// Only the send lag makes the difference: whose fault was it?
	lag, _ := stats.Lag.Percentile(min(max(f.p, 50), 100))
	if late := lateness(run, l.Load, l.During); late.byTarget() {
		return v.failing("the %s response time is %s: calls waited up to %s because all %d workers were taken by calls that the target had not answered",
			f.name, v.Measured, formatDuration(stats.Lag.Max()), late.workers)
	}
	return v.unknown("the generator, not the target, was late: send lag %s %s, service time %s %s; give it more CPU or ask for less load",
		f.name, formatDuration(lag), f.name, formatDuration(service))
}

// of reads the figure from a distribution; enough is false where there are too
// few calls to tell it.
func (f figure) of(d *evidence.Distribution) (value time.Duration, enough bool) {
	if f.p == meanFigure {
		return d.Mean(), d.Count() > 0
	}
	return d.Percentile(f.p)
}

// tooFew is the verdict on a percentile that has fewer than ten calls beyond
// it. It can still fail: a lower percentile that there are enough calls for may
// already be over the limit.
func tooFew(v Verdict, times *evidence.Distribution, f figure) Verdict {
	v.Limit = f.limit.String()
	for _, p := range []float64{99.9, 99, 95, 90, 75, 50} {
		if p >= f.p {
			continue
		}
		if value, enough := times.Percentile(p); enough {
			if f.limit.capped() && value.Seconds() > f.limit.high {
				v = v.against(f.limit.limit, value.Seconds())
				return v.failing("already the %gth percentile is %s", p, v.Measured)
			}
			break
		}
	}
	return v.unknown("%d calls are too few for %s: at least ten must lie beyond it, which takes %.0f", times.Count(), f.name, 10/(1-f.p/100))
}
