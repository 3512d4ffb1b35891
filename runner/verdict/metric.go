package verdict

import "fmt"

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
