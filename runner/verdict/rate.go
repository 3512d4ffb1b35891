package verdict

import (
	"fmt"
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
