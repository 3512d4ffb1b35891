package verdict

import (
	"fmt"
	"time"

	"ordeal/runner/evidence"
)

// Rate bounds how much load was really offered.
type Rate struct {
	Load      string      `yaml:"load" ref:"load" required:"true" doc:"the load whose rate is judged"`
	During    Phases      `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Attained  *RatioLimit `yaml:"attained" doc:"limit on the calls sent as a share of the calls planned; not for a closed model, which plans none"`
	PerSecond *RateLimit  `yaml:"per_second" doc:"limit on the calls sent a second, such as \"> 290/s\""`
	Succeeded *RateLimit  `yaml:"succeeded" doc:"limit on the calls that were answered with success a second"`
}

// Validate reports what is wrong with the expectation.
func (r *Rate) Validate(bad func(field, format string, args ...any)) {
	n := 0
	for _, set := range []bool{r.Attained != nil, r.PerSecond != nil, r.Succeeded != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		bad("", `want exactly one of attained, such as "> 99%%", per_second, such as "> 290/s", and succeeded`)
	}
}

// String is the expectation in one line.
func (r *Rate) String() string {
	what := ""
	switch {
	case r.Attained != nil:
		what = "offered load " + r.Attained.String() + " of planned"
	case r.PerSecond != nil:
		what = "calls " + r.PerSecond.String()
	case r.Succeeded != nil:
		what = "successful calls " + r.Succeeded.String()
	}
	return fmt.Sprintf("%s %s %s", r.Load, what, r.During)
}

func (r *Rate) rests(*evidence.Run) basis {
	b := basis{load: r.Load, phases: r.During, ownRate: true, timed: true}
	b.atLeast, b.atMost = oneSided(r.limit())
	return b
}

// limit is the one that is set.
func (r *Rate) limit() limit {
	switch {
	case r.Attained != nil:
		return r.Attained.limit
	case r.PerSecond != nil:
		return r.PerSecond.limit
	case r.Succeeded != nil:
		return r.Succeeded.limit
	}
	return limit{}
}

// Judge compares what was sent with what was planned, or with a rate.
func (r *Rate) Judge(run *evidence.Run) Verdict { return r.judge(run, newWitness(run)) }

func (r *Rate) judge(run *evidence.Run, w *witness) Verdict {
	v := Verdict{Kind: "rate", Name: r.String() + closedNote(run, r.Load), Load: r.Load, Phase: r.During.label()}
	spans, why := r.During.spans(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	load, stats, why := r.During.calls(run, r.Load)
	if why != "" {
		return v.unknown("%s", why)
	}
	if r.Attained != nil {
		return r.judgeAttained(v, w, load, stats, spans)
	}
	var sent, succeeded float64
	asked := evidence.Query{
		Fields: evidence.WithSent | evidence.WithDone | evidence.WithClass,
		From:   spans[0].Start, To: spans[len(spans)-1].End,
	}
	err := eachCall(run, r.Load, asked, func(c *evidence.Sample) {
		if within(spans, c.Sent) {
			sent++
		}
		if c.Class == evidence.OK && within(spans, c.Done) {
			succeeded++
		}
	})
	seconds := took(spans).Seconds()
	switch {
	case err != nil:
		return v.unknown("the samples cannot be read: %v", err)
	case seconds <= 0:
		return v.unknown("the phase took no time")
	case r.PerSecond != nil:
		return r.excuse(v.against(r.PerSecond.limit, sent/seconds), w, "%.0f calls were sent in %s", sent, formatDuration(took(spans)))
	case r.Succeeded != nil:
		return r.excuse(v.against(r.Succeeded.limit, succeeded/seconds), w, "%.0f calls succeeded in %s", succeeded, formatDuration(took(spans)))
	}
	return v.unknown("no limit is given")
}

func (r *Rate) judgeAttained(v Verdict, w *witness, load *evidence.LoadSummary, stats *evidence.Stats, spans []evidence.Span) Verdict {
	if load.Meta.Model == "closed" {
		return v.unknown("a closed model plans no calls: its clients send the next one when the last is answered")
	}
	var planned int64
	for _, s := range spans {
		planned += load.Meta.Planned[s.Name]
	}
	if planned == 0 {
		return v.unknown("no call was planned %s", r.During)
	}
	v = v.against(r.Attained.limit, float64(stats.Calls)/float64(planned))
	return r.excuse(v, w, "%d of %d planned calls were sent", stats.Calls, planned)
}

// excuse does not hold against the target what the generator did not bring about.
func (r *Rate) excuse(v Verdict, w *witness, format string, args ...any) Verdict {
	told := fmt.Sprintf(format, args...)
	if v.Status == Pass {
		return r.doubt(v, w, told)
	}
	late := w.late(r.Load, r.During)
	switch {
	case late.closed:
		return v.failing("%s", told)
	case late.byTarget():
		return v.failing("%s: all %d workers were taken by calls that the target had not answered", told, late.workers)
	case late.noticeable() || late.missing > 0:
		return v.unknown("%s, but the generator, not the target, was behind: %s", told, late.because())
	}
	return v.failing("%s", told)
}

// doubt takes back that a rate stayed below a limit where the generator did not
// make the load that could have gone over it.
func (r *Rate) doubt(v Verdict, w *witness, told string) Verdict {
	if !r.limit().capped() || r.Attained != nil {
		return v
	}
	load, stats, why := r.During.stats(w.run, r.Load)
	if why != "" || load.Meta.Model == "closed" {
		return v // the ceiling of a closed model is looked at elsewhere
	}
	var planned int64
	for _, s := range w.run.Phases() {
		if r.During.names(s) {
			planned += load.Meta.Planned[s.Name]
		}
	}
	if missing := planned - stats.Calls; missing <= 1 || float64(stats.Calls) > reachedShare*float64(planned) {
		return v
	}
	if late := w.late(r.Load, r.During); !late.byTarget() {
		return v.unknown("%s, but %d planned calls were not sent: %s", told, planned-stats.Calls, late.because())
	}
	return v
}

func within(spans []evidence.Span, at time.Duration) bool {
	for _, s := range spans {
		if s.Contains(at) {
			return true
		}
	}
	return false
}
