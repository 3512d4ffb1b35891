package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ordeal/runner/evidence"
)

// Arrivals bounds the calls that reached a link, or a target by its own counter.
type Arrivals struct {
	Link      string            `yaml:"link" ref:"link" doc:"the link whose HTTP/2 streams are counted, such as gateway->users"`
	Target    string            `yaml:"target" ref:"target" doc:"the target whose own counter is read instead; over all its replicas"`
	Metric    string            `yaml:"metric" doc:"the target's counter, such as grpc_server_started_total"`
	Labels    map[string]string `yaml:"labels" doc:"labels that the counter's series must have; series that match are added up"`
	During    Phases            `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Count     *CountLimit       `yaml:"count" doc:"limit on the number of calls"`
	PerSecond *RateLimit        `yaml:"per_second" doc:"limit on the calls a second"`
}

// Validate reports what is wrong with the expectation.
func (a *Arrivals) Validate(bad func(field, format string, args ...any)) {
	switch {
	case (a.Link == "") == (a.Target == ""):
		bad("", "want exactly one of link and target")
	case a.Link != "" && a.Metric != "":
		bad("metric", "a link has its own counter of calls: want no metric")
	case a.Link != "" && len(a.Labels) > 0:
		bad("labels", "a link has its own counter of calls: want no labels")
	case a.Target != "" && a.Metric == "":
		bad("metric", "want the counter to read from the target, such as grpc_server_started_total")
	}
	if (a.Count == nil) == (a.PerSecond == nil) {
		bad("", `want exactly one of count, such as "< 20", and per_second, such as "> 290/s"`)
	}
}

// String is the expectation in one line.
func (a *Arrivals) String() string {
	where := a.Link
	if a.Target != "" {
		where = a.Target + " (" + seriesName(a.Metric, a.Labels) + ")"
	}
	limit := ""
	switch {
	case a.Count != nil:
		limit = a.Count.String()
	case a.PerSecond != nil:
		limit = a.PerSecond.String()
	}
	return fmt.Sprintf("calls arriving at %s %s %s", where, limit, a.During)
}

// seriesName writes a metric with its labels as Prometheus does.
func seriesName(name string, labels map[string]string) string {
	if len(labels) == 0 {
		return name
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", k, labels[k]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

func (a *Arrivals) rests(*evidence.Run) basis {
	b := basis{load: anyLoad, phases: a.During}
	if a.PerSecond != nil {
		b.timed = true
		b.atLeast, b.atMost = oneSided(a.PerSecond.limit)
	}
	return b
}

func (a *Arrivals) reads() []evidence.SeriesName {
	if a.Link != "" {
		return []evidence.SeriesName{{Target: a.Link, Name: linkCalls}, {Target: a.Link, Name: "link_bytes_up_total"}}
	}
	return []evidence.SeriesName{{Target: a.Target, Name: a.Metric}}
}

// Judge counts the calls in the phases.
func (a *Arrivals) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "arrivals", Name: a.String(), Phase: a.During.label(), Target: a.Target}
	target, name := a.Target, a.Metric
	if a.Link != "" {
		target, name = a.Link, linkCalls
	}
	spans, why := a.During.spans(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	total, why := increaseOver(run, target, name, a.Labels, spans)
	if why == "" && a.Link != "" {
		why = uncounted(run, a.Link)
	}
	if why != "" {
		return v.unknown("%s", why)
	}
	told := fmt.Sprintf("%s calls arrived in %s", formatNumber(total), formatDuration(took(spans)))
	switch seconds := took(spans).Seconds(); {
	case a.Count != nil:
		return v.counted(a.Count.limit, total).failing("%s", told)
	case a.PerSecond != nil && seconds > 0:
		return v.counted(a.PerSecond.limit, total/seconds).failing("%s", told)
	}
	return v.unknown("no limit is given, or the phase took no time")
}

// linkCalls is the counter of HTTP/2 streams that a link keeps.
const linkCalls = "link_calls_total"

// uncounted says why a link's counter of calls tells nothing: it counts HTTP/2
// streams, and stays at zero on a link that carries something else.
func uncounted(run *evidence.Run, link string) string {
	calls, bytes, err := 0.0, 0.0, error(nil)
	if calls, err = highest(run, link, linkCalls); err == nil {
		bytes, err = highest(run, link, "link_bytes_up_total")
	}
	switch {
	case err != nil:
		return err.Error()
	case calls == 0 && bytes > 0:
		return fmt.Sprintf("%s carried no HTTP/2, so its calls were not counted; count them by a metric of the target", link)
	}
	return ""
}

// highest is the largest value of a series.
func highest(run *evidence.Run, target, name string) (top float64, err error) {
	series, err := run.Series(target, name)
	if err != nil {
		return 0, fmt.Errorf("read %s of %s: %w", name, target, err)
	}
	for _, s := range series {
		top = max(top, slices.Max(append(s.V, 0)))
	}
	return top, nil
}

// increaseOver adds up how much counters grew during phases.
func increaseOver(run *evidence.Run, target, name string, labels map[string]string, spans []evidence.Span) (total float64, why string) {
	series, err := matching(run, target, name, labels)
	if err != nil {
		return 0, err.Error()
	}
	if len(series) == 0 {
		return 0, fmt.Sprintf("%s of %s was never read", seriesName(name, labels), target)
	}
	c, err := openCounters(run, series)
	if err != nil {
		return 0, err.Error()
	}
	for _, s := range spans {
		n, why := c.increase(s.Start, s.End)
		if why != "" {
			return 0, why
		}
		total += n
	}
	return total, ""
}
