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
	seconds := took(spans).Seconds()
	sent, succeeded := pace{per: seconds}, pace{per: seconds}
	asked := evidence.Query{
		Fields: evidence.WithIntended | evidence.WithSent | evidence.WithDone | evidence.WithClass,
		From:   spans[0].Start, To: spans[len(spans)-1].End,
	}
	err := eachCall(run, r.Load, asked, func(c *evidence.Sample) {
		due := within(spans, c.Intended)
		sent.count(within(spans, c.Sent), due)
		if c.Class == evidence.OK {
			succeeded.count(within(spans, c.Done), due && within(spans, c.Intended+c.Service()))
		}
	})
	switch {
	case err != nil:
		return v.unknown("the samples cannot be read: %v", err)
	case seconds <= 0:
		return v.unknown("the phase took no time")
	case r.PerSecond != nil:
		return r.excuse(v, w, sent, "%.0f calls were sent in %s", sent.calls, formatDuration(took(spans)))
	case r.Succeeded != nil:
		return r.excuse(v, w, succeeded, "%.0f calls succeeded in %s", succeeded.calls, formatDuration(took(spans)))
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
	return r.excuse(v, w, pace{calls: float64(stats.Calls), per: float64(planned)}, "%d of %d planned calls were sent", stats.Calls, planned)
}

// pace is how many calls there were in so many seconds, or of so many planned.
type pace struct {
	calls float64
	late  float64 // calls that the send lag moved out of the phase
	per   float64
}

// count adds a call that counts, or one that would have had it been sent on time.
func (p *pace) count(counts, onTime bool) {
	switch {
	case counts:
		p.calls++
	case onTime:
		p.late++
	}
}

// excuse compares a rate with its limit, and does not hold against the target
// what the generator did not bring about: a rate below the limit that the calls
// which were not sent, or too late, would have brought up to it.
func (r *Rate) excuse(v Verdict, w *witness, p pace, format string, args ...any) Verdict {
	told, limit := fmt.Sprintf(format, args...), r.limit()
	v = v.against(limit, p.calls/p.per)
	if v.Status == Pass {
		return r.doubt(v, w, told)
	}
	late := w.late(r.Load, r.During)
	behind := !limit.reached(p.calls/p.per) && limit.reached((p.calls+p.late+float64(late.missing))/p.per)
	switch {
	case late.closed || !behind:
		return v.failing("%s", told)
	case late.byTarget():
		return v.failing("%s: all %d workers were taken by calls that the target had not answered", told, late.workers)
	}
	return v.unknown("%s, but the generator, not the target, was behind: %s", told, late.because())
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
