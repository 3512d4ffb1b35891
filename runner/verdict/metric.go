package verdict

import (
	"fmt"
	"math"
	"time"

	"ordeal/runner/evidence"
)

// Metric compares a scraped series with a limit.
type Metric struct {
	Target   string            `yaml:"target" ref:"target" required:"true" doc:"the target that exports the series; all its replicas"`
	Name     string            `yaml:"name" required:"true" doc:"the metric's name; a histogram has _sum and _count"`
	Labels   map[string]string `yaml:"labels" doc:"labels that the series must have"`
	During   Phases            `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Value    *NumberLimit      `yaml:"value" doc:"limit on the last value; every series that matches must keep to it"`
	Max      *NumberLimit      `yaml:"max" doc:"limit on the greatest value of any series that matches"`
	Min      *NumberLimit      `yaml:"min" doc:"limit on the least value of any series that matches"`
	Increase *NumberLimit      `yaml:"increase" doc:"limit on a counter's increase, resets taken into account, added up over the series that match"`
	Rate     *RateLimit        `yaml:"rate" doc:"limit on a counter's increase a second, added up over the series that match"`
}

// Validate reports what is wrong with the expectation.
func (m *Metric) Validate(bad func(field, format string, args ...any)) {
	if n := len(m.asked()); n != 1 {
		bad("", "want exactly one of value, max, min, increase and rate")
	}
}

// question is what is asked of a series.
type question struct {
	what  string
	limit limit
}

func (m *Metric) asked() []question {
	var asked []question
	for _, q := range []struct {
		what  string
		limit *NumberLimit
	}{{"value", m.Value}, {"max", m.Max}, {"min", m.Min}, {"increase", m.Increase}} {
		if q.limit != nil {
			asked = append(asked, question{q.what, q.limit.limit})
		}
	}
	if m.Rate != nil {
		asked = append(asked, question{"rate", m.Rate.limit})
	}
	return asked
}

// String is the expectation in one line.
func (m *Metric) String() string {
	text := ""
	for _, q := range m.asked() {
		text = q.what + " " + q.limit.String()
	}
	return fmt.Sprintf("%s %s %s %s", m.Target, seriesName(m.Name, m.Labels), text, m.During)
}

func (m *Metric) rests(*evidence.Run) basis { return basis{load: anyLoad, phases: m.During} }

func (m *Metric) reads() []evidence.SeriesName {
	return []evidence.SeriesName{{Target: m.Target, Name: m.Name}}
}

// Judge looks at the series during the phases.
func (m *Metric) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "metric", Name: m.String(), Phase: m.During.label(), Target: m.Target}
	asked := m.asked()
	if len(asked) != 1 {
		return v.unknown("no limit is given")
	}
	q := asked[0]
	spans, why := m.During.spans(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	if q.what == "increase" || q.what == "rate" {
		total, why := increaseOver(run, m.Target, m.Name, m.Labels, spans)
		seconds := took(spans).Seconds()
		switch {
		case why != "":
			return v.unknown("%s", why)
		case q.what == "increase":
			return v.counted(q.limit, total).failing("it grew by %s in %s", formatNumber(total), formatDuration(took(spans)))
		case seconds > 0:
			return v.counted(q.limit, total/seconds).failing("it grew by %s in %s", formatNumber(total), formatDuration(took(spans)))
		}
		return v.unknown("the phase took no time")
	}
	series, err := matching(run, m.Target, m.Name, m.Labels)
	switch {
	case err != nil:
		return v.unknown("%v", err)
	case len(series) == 0:
		return v.unknown("%s of %s was never read", seriesName(m.Name, m.Labels), m.Target)
	}
	return m.judgeValues(v, q, series, spans)
}

// judgeValues judges each series by its own value and gives the worst.
func (m *Metric) judgeValues(v Verdict, q question, series []evidence.Series, spans []evidence.Span) Verdict {
	worst, least, seen := v, 0.0, false
	for _, s := range series {
		value, at, ok := pick(q.what, s, spans)
		if !ok {
			continue
		}
		one := v.counted(q.limit, value).failing("%s of %s was %s at %s", seriesName(m.Name, m.Labels), s.Target, formatNumber(value), formatDuration(at))
		if room := q.limit.room(value); !seen || one.Status > worst.Status || one.Status == worst.Status && room < least {
			worst, least = one, room
		}
		seen = true
	}
	if !seen {
		return v.unknown("%s of %s was not read %s", seriesName(m.Name, m.Labels), m.Target, m.During)
	}
	return worst
}

// pick is the value that is asked for of one series, and when it had it.
func pick(what string, s evidence.Series, spans []evidence.Span) (value float64, at time.Duration, ok bool) {
	for _, span := range spans {
		part := s.Between(span.Start, span.End)
		for i, v := range part.V {
			if math.IsNaN(v) {
				continue
			}
			if !ok || what == "value" || what == "max" && v > value || what == "min" && v < value {
				value, at, ok = v, part.T[i], true
			}
		}
	}
	return value, at, ok
}
