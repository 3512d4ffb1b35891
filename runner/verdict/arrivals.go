package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
