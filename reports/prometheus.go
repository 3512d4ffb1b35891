package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"ordeal/runner/verdict"
)

// Prometheus writes the result in Prometheus' text format, as for a textfile
// collector or a push gateway: the verdicts, and the figures of each load in
// each phase that is selected. Latencies are summaries; a quantile with fewer
// than ten calls beyond it is not among them.
func Prometheus(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		s, err := of.in(d)
		if err != nil {
			return err
		}
		var x exposition
		x.run(d)
		for _, v := range d.Judgement.Validity {
			x.verdict(d, "validity", v)
		}
		for _, v := range d.Judgement.Checks {
			x.verdict(d, "expectation", v)
		}
		for _, l := range s.loads {
			for _, f := range l.Phases {
				x.figures(d, l.Load, f)
			}
		}
		for _, family := range x.families {
			if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
				return fmt.Errorf("write prometheus text: %w", err)
			}
		}
		return nil
	}
}

// exposition gathers metrics by their names, in the order they first came.
type exposition struct {
	families []*dto.MetricFamily
	index    map[string]int
	seen     map[string]bool // metrics with their labels: each may be told once
	checks   map[string]int  // how many checks there were of the same labels
}

// labels are names and values in turn; empty values are left out.
type labels []string

func (l labels) pairs() []*dto.LabelPair {
	var out []*dto.LabelPair
	for i := 0; i+1 < len(l); i += 2 {
		if v := clean(l[i+1]); v != "" {
			out = append(out, &dto.LabelPair{Name: proto.String(l[i]), Value: proto.String(v)})
		}
	}
	slices.SortFunc(out, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out
}

func (x *exposition) add(name, help string, kind dto.MetricType, m *dto.Metric) {
	if x.index == nil {
		x.index, x.seen = make(map[string]int), make(map[string]bool)
	}
	var id strings.Builder
	id.WriteString(name)
	for _, p := range m.Label {
		fmt.Fprintf(&id, "\x00%s\x00%s", p.GetName(), p.GetValue())
	}
	if x.seen[id.String()] {
		return
	}
	x.seen[id.String()] = true
	i, ok := x.index[name]
	if !ok {
		i, x.index[name] = len(x.families), len(x.families)
		x.families = append(x.families, &dto.MetricFamily{Name: proto.String(name), Help: proto.String(help), Type: kind.Enum()})
	}
	x.families[i].Metric = append(x.families[i].Metric, m)
}

func (x *exposition) gauge(name, help string, l labels, v float64) {
	x.add(name, help, dto.MetricType_GAUGE, &dto.Metric{Label: l.pairs(), Gauge: &dto.Gauge{Value: &v}})
}

// latency tells a distribution as a summary, with its greatest value beside it.
func (x *exposition) latency(name, help string, l labels, d Latency, n int64) {
	if d.Mean == nil {
		return
	}
	sum := d.Mean.Seconds() * float64(n)
	s := &dto.Summary{SampleCount: proto.Uint64(uint64(n)), SampleSum: &sum}
	for _, q := range d.figures() {
		if q.value != nil && q.quantile > 0 && q.quantile < 1 {
			s.Quantile = append(s.Quantile, &dto.Quantile{Quantile: proto.Float64(q.quantile), Value: proto.Float64(q.value.Seconds())})
		}
	}
	x.add(name+"_seconds", help, dto.MetricType_SUMMARY, &dto.Metric{Label: l.pairs(), Summary: s})
	if d.Max != nil {
		x.gauge(name+"_max_seconds", help+" Its greatest value.", l, d.Max.Seconds())
	}
}

func (x *exposition) run(d *Document) {
	scenario := labels{"scenario", d.Run.Scenario}
	x.gauge("ordeal_run_info", "Which run this was, on what.", append(scenario, "run", d.Run.ID, "outcome", string(d.Run.Outcome),
		"host", d.Run.Host.Name, "version", d.Run.Build.Version, "commit", d.Run.Build.Commit), 1)
	x.status("ordeal_run_status", "The verdict of the run: 1 for the status that it has.", scenario, d.Judgement.Status)
	x.gauge("ordeal_run_start_timestamp_seconds", "When the timeline began.", scenario, float64(d.Run.Base.Add(d.Run.Start).UnixNano())/1e9)
	x.gauge("ordeal_run_duration_seconds", "How long the timeline went on.", scenario, (d.Run.End - d.Run.Start).Seconds())
}

// status is a gauge for each status, of which one is 1.
func (x *exposition) status(name, help string, l labels, is verdict.Status) {
	for _, s := range []verdict.Status{verdict.Pass, verdict.Inconclusive, verdict.Fail} {
		v := 0.0
		if s == is {
			v = 1
		}
		x.gauge(name, help, append(slices.Clone(l), "status", s.String()), v)
	}
}

func (x *exposition) verdict(d *Document, group string, v verdict.Verdict) {
	l := labels{"scenario", d.Run.Scenario, "group", group, "kind", v.Kind, "check", v.Name, "load", v.Load, "phase", v.Phase, "target", v.Target}
	// Checks may differ in what their name does not say: none hides behind another.
	id := fmt.Sprint(l.pairs())
	if x.checks == nil {
		x.checks = make(map[string]int)
	}
	if x.checks[id]++; x.checks[id] > 1 {
		l = append(l, "number", strconv.Itoa(x.checks[id]))
	}
	x.status("ordeal_check_status", "The verdict of a check: 1 for the status that it has.", l, v.Status)
}

func (x *exposition) figures(d *Document, l Load, f Figures) {
	at := labels{"scenario", d.Run.Scenario, "load", l.Name, "phase", f.Phase}
	gauge := func(name, help string, v float64) { x.gauge("ordeal_load_"+name, help, at, v) }
	gauge("duration_seconds", "How long the phase went on.", f.Took.Seconds())
	if !l.Closed() {
		gauge("planned_calls", "Calls that the schedule had.", float64(f.Planned))
		gauge("unissued_calls", "Calls that the schedule had and that were not sent.", float64(f.Unissued))
	}
	gauge("calls", "Calls that were sent.", float64(f.Calls))
	gauge("calls_per_second", "Calls that were sent a second.", f.Rate)
	gauge("late_calls", "Calls sent more than 10 ms after their time.", float64(f.Late))
	gauge("degraded_calls", "Calls whose answer was not the real one.", float64(f.Degraded))
	gauge("failed_calls", "Calls that failed, of whatever class.", float64(f.Errors))
	gauge("received_bytes", "Bytes of all answers.", float64(f.Bytes))
	for _, class := range slices.Sorted(maps.Keys(f.Classes)) {
		x.gauge("ordeal_load_calls_by_class", "Calls by how they ended.", append(slices.Clone(at), "class", class), float64(f.Classes[class]))
	}
	x.latency("ordeal_load_response", "Response time of calls, from when they were intended.", at, f.Response, f.Calls)
	x.latency("ordeal_load_service", "Service time of calls, from when they were sent.", at, f.Service, f.Calls)
	x.latency("ordeal_load_send_lag", "How late calls were sent.", at, f.Lag, f.Calls)
	if m := f.Messages; m != nil {
		gauge("messages", "Messages of streaming calls.", float64(m.Count))
		gauge("unanswered_messages", "Messages that had no answer before their call ended.", float64(m.Unanswered))
		x.latency("ordeal_load_message_response", "Response time of messages, from when they were due.", at, m.Response, m.Count)
		x.latency("ordeal_load_message_service", "Service time of messages, from when they were sent.", at, m.Service, m.Count)
	}
}
