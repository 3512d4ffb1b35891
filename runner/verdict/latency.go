package verdict

import (
	"fmt"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// Latency bounds percentiles of a load's response time, which is measured from
// the intended start of each call, of its service time, measured from the actual
// send, or of the response time of the messages of its streams.
type Latency struct {
	Load   string         `yaml:"load" ref:"load" required:"true" doc:"the load whose calls are judged"`
	During Phases         `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Of     string         `yaml:"of" enum:"response,service,messages" default:"response" doc:"response time of the calls, from the intended start; their service time, from the actual send; or response time of the messages of streaming calls, from when each was due"`
	P50    *DurationLimit `yaml:"p50" doc:"limit on the median"`
	P75    *DurationLimit `yaml:"p75" doc:"limit on the 75th percentile"`
	P90    *DurationLimit `yaml:"p90" doc:"limit on the 90th percentile"`
	P95    *DurationLimit `yaml:"p95" doc:"limit on the 95th percentile"`
	P99    *DurationLimit `yaml:"p99" doc:"limit on the 99th percentile; needs 1,000 calls"`
	P999   *DurationLimit `yaml:"p99.9" doc:"limit on the 99.9th percentile; needs 10,000 calls"`
	P9999  *DurationLimit `yaml:"p99.99" doc:"limit on the 99.99th percentile; needs 100,000 calls"`
	Max    *DurationLimit `yaml:"max" doc:"limit on the slowest call"`
	Mean   *DurationLimit `yaml:"mean" doc:"limit on the arithmetic mean"`

	AcceptFailed bool `yaml:"accept_failed" doc:"judge the times even where no call succeeded, or no message was answered: for calls that are meant to be turned away"`
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
	of := map[string]string{ofService: "service time ", ofMessages: "messages "}[l.Of]
	return fmt.Sprintf("%s %s%s %s", l.Load, of, strings.Join(parts, ", "), l.During)
}

// What times are judged; "" is the response times of calls.
const (
	ofService  = "service"
	ofMessages = "messages"
)

func (l *Latency) rests(*evidence.Run) basis {
	return basis{load: l.Load, phases: l.During, timed: true}
}

// Judge compares each percentile with its limit.
func (l *Latency) Judge(run *evidence.Run) Verdict { return l.judge(run, newWitness(run)) }

func (l *Latency) judge(run *evidence.Run, w *witness) Verdict {
	v := Verdict{Kind: "latency", Name: l.String() + closedNote(run, l.Load), Load: l.Load, Phase: l.During.label()}
	t, why := l.timing(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	asked := l.figures()
	if len(asked) == 0 {
		return v.unknown("no limit is given")
	}
	var parts []Part
	worst := v
	for i, f := range asked {
		one := l.judgeFigure(v, w, t, f)
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

// timing is what tells how long the calls of a load took, or their messages.
type timing struct {
	of           *evidence.Distribution // what the limits are on
	service, lag *evidence.Distribution // what it is made of; service is nil where of is that itself
	noun         string                 // of what there are so many: "call", "message"
	took         time.Duration          // how long the phases were
	silent       int64                  // messages without an answer
}

// timing finds what is to be judged; where that says nothing, why tells.
func (l *Latency) timing(run *evidence.Run) (t timing, why string) {
	spans, why := l.During.spans(run)
	if why != "" {
		return t, why
	}
	load, stats, why := l.During.stats(run, l.Load)
	if why != "" {
		return t, why
	}
	t = timing{of: stats.Response, service: stats.Service, lag: stats.Lag, noun: "call", took: took(spans)}
	switch m := stats.Messages; {
	case l.Of == ofMessages && load.Meta.Messages == "" && m.Count == 0:
		return t, fmt.Sprintf("the calls of %s have no messages that are timed: judge their response time instead", l.Load)
	case l.Of == ofMessages && m.Count == 0:
		return t, fmt.Sprintf("there is no message of %s %s", l.Load, l.During)
	case l.Of == ofMessages && m.Unanswered == m.Count && !l.AcceptFailed:
		return t, fmt.Sprintf("none of the %s of %s %s was answered (calls: %s), so their times say nothing; mend that, or set accept_failed where they are meant to be turned away",
			grouped(m.Count, "message"), l.Load, l.During, breakdown(stats))
	case l.Of == ofMessages:
		t.of, t.service, t.lag, t.noun, t.silent = m.Response, m.Service, m.Lag, "message", m.Unanswered
		return t, ""
	case stats.Calls == 0:
		return t, noCall(l.Load, l.During)
	case stats.OK() == 0 && !l.AcceptFailed:
		return t, fmt.Sprintf("none of the %d calls %s succeeded (%s), so their times say nothing; mend that, or set accept_failed where they are meant to be turned away",
			stats.Calls, l.During, breakdown(stats))
	case l.Of == ofService:
		t.of, t.service = stats.Service, nil
	}
	return t, ""
}
