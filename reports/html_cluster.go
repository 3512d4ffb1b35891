package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"ordeal/reports/charts"
)

// podsShown is how many Pods of a Deployment the page draws.
const podsShown = 30

// clusterFigures draw what became of Deployments, of their autoscalers and of
// their Pods, where anything did.
func clusterFigures(d *Document, w charts.Window) (out []figure, err error) {
	if d.Cluster == nil {
		return nil, nil
	}
	add := func(f []figure, e error) {
		out = append(out, f...)
		if err == nil {
			err = e
		}
	}
	for _, dep := range d.Cluster.Deployments {
		scaled := slices.ContainsFunc(d.Cluster.Autoscalers, func(a Autoscaler) bool { return a.Of == dep.Name })
		if scaled || dep.wentUpAndDown(d.Run.Start, d.Run.End) {
			add(replicasFigure(d, w, dep))
		}
		for _, a := range d.Cluster.Autoscalers {
			if a.Of == dep.Name {
				add(metricFigures(d, w, a))
			}
		}
		add(podsFigure(d, w, dep.Name))
	}
	return out, err
}

func replicasFigure(d *Document, w charts.Window, dep Deployment) ([]figure, error) {
	line := func(name string, tone charts.Tone, of func(Replicas) int) charts.Line {
		l := d.held(len(dep.Points), func(i int) (time.Duration, float64) { return dep.Points[i].At, float64(of(dep.Points[i])) })
		l.Name, l.Tone = name, tone
		return l
	}
	ready := line("ready", charts.Attained, func(r Replicas) int { return r.Ready })
	wanted := line("wanted", charts.Planned, func(r Replicas) int { return r.Wanted })
	wanted.Dashes = []float64{4, 3}
	svg, err := charts.Replicas(w, "Pods of "+clean(dep.Name)+" over time", []charts.Line{ready, wanted})
	return []figure{{Title: "Replicas of " + clean(dep.Name), Note: "Pods that the Deployment wants, and that are ready", SVG: template.HTML(svg)}}, err
}

func metricFigures(d *Document, w charts.Window, a Autoscaler) (out []figure, err error) {
	for _, m := range a.Metrics {
		value := d.held(len(m.Points), func(i int) (time.Duration, float64) {
			if m.Points[i].Value == nil {
				return m.Points[i].At, math.NaN()
			}
			return m.Points[i].At, *m.Points[i].Value
		})
		value.Name, value.Tone = "measured", charts.Category(0)
		target := charts.Line{Name: "target", Tone: charts.BandEdge, Dashes: []float64{4, 3}, X: []float64{0, w.End}, V: []float64{m.Target, m.Target}}
		label, unit := func(v float64) string { return trimmed(v) }, "average over its Pods"
		if m.Percent {
			label, unit = func(v float64) string { return trimmed(v) + "%" }, "average over its Pods, of what they request"
		}
		svg, err := charts.Traffic(w, clean(m.Name)+" of "+clean(a.Of)+" against its target over time", []charts.Line{value, target}, label)
		if err != nil {
			return nil, err
		}
		out = append(out, figure{
			Title: fmt.Sprintf("Autoscaler %s: %s", clean(a.Name), clean(m.Name)),
			Note:  fmt.Sprintf("%s, as the autoscaler says it; a gap where it had none; %d to %d Pods", unit, a.Min, a.Max), SVG: template.HTML(svg),
		})
	}
	return out, nil
}

// trimmed writes a number of a tick without needless digits.
func trimmed(v float64) string { return fmt.Sprintf("%.4g", v) }

// podLooks are the colours of the states of a Pod, in the order of the key.
var podLooks = []struct {
	state string
	tone  charts.Tone
}{{podStarting, charts.HalfOpenFill}, {podReady, charts.ClosedFill}, {podUnready, charts.OpenFill}, {podEnding, charts.Degraded}}

// podsFigure draws the lives of a Deployment's Pods, where something became of one.
func podsFigure(d *Document, w charts.Window, deployment string) ([]figure, error) {
	var pods []Pod
	for _, p := range d.Cluster.Pods {
		if p.Of == deployment && (p.Gone == 0 || p.Gone > d.Run.Start) && p.States[0].At < d.Run.End {
			pods = append(pods, p)
		}
	}
	if !slices.ContainsFunc(pods, func(p Pod) bool { return p.lived(d.Run.Start, d.Run.End) }) {
		return nil, nil
	}
	note := "one row a Pod, by the end of its name"
	if len(pods) > podsShown {
		note = fmt.Sprintf("the first %d of %d, one row each, by the end of its name", podsShown, len(pods))
		pods = pods[:podsShown]
	}
	var lanes []charts.Lane
	for _, p := range pods {
		lanes = append(lanes, podLane(d, p))
	}
	var keys []string
	for _, l := range podLooks {
		keys = append(keys, l.state)
	}
	svg, err := charts.Tracks(w, "lives of the Pods of "+clean(deployment)+" over time", lanes)
	return []figure{{Title: "Pods of " + clean(deployment), Keys: keys, Note: note, SVG: template.HTML(svg)}}, err
}

// shortPod is the end of a Pod's name, which tells it from its like.
func shortPod(name string) string { return name[strings.LastIndexByte(name, '-')+1:] }

// podOf tells whether a series was read from a Pod, and from which.
func (d *Document) podOf(target string) (pod string, ok bool) {
	_, pod, ok = strings.Cut(target, "/")
	return pod, ok && d.Cluster != nil && slices.ContainsFunc(d.Cluster.Pods, func(p Pod) bool { return p.Name == pod })
}

func podLane(d *Document, p Pod) charts.Lane {
	lane := charts.Lane{Name: clean(shortPod(p.Name))}
	end := d.Run.End
	if p.Gone > 0 {
		end = min(end, p.Gone)
	}
	for i, s := range p.States {
		until := end
		if i+1 < len(p.States) {
			until = min(until, p.States[i+1].At)
		}
		if until <= d.Run.Start || s.At >= until {
			continue
		}
		span := charts.LaneSpan{Span: charts.Span{Start: d.at(max(s.At, d.Run.Start)), End: d.at(until)}, Tone: charts.PhaseFill}
		for _, look := range podLooks {
			if look.state == s.State {
				span.Tone = look.tone
			}
		}
		lane.Spans = append(lane.Spans, span)
	}
	for _, at := range p.Restarts {
		if at >= d.Run.Start && at <= d.Run.End {
			lane.Marks = append(lane.Marks, charts.Mark{At: d.at(at), Symbol: charts.Paused})
		}
	}
	if n := len(lane.Marks); n > 0 {
		lane.Marks[n-1].Name = "restarted"
		if n > 1 {
			lane.Marks[n-1].Name += fmt.Sprintf(" ×%d", n)
		}
	}
	if p.Killed && p.Gone > 0 && p.Gone <= d.Run.End {
		lane.Marks = append(lane.Marks, charts.Mark{At: d.at(p.Gone), Name: "killed", Symbol: charts.Down})
	}
	return lane
}

// held makes a line of values that each hold from a time until the next, within
// the timeline.
func (d *Document) held(n int, point func(i int) (at time.Duration, v float64)) charts.Line {
	l := charts.Line{Step: true}
	for i := range n {
		at, v := point(i)
		if at >= d.Run.End {
			break
		}
		x := d.at(max(at, d.Run.Start))
		if k := len(l.X); k > 0 && l.X[k-1] == x { // both before the start: the later holds
			l.V[k-1] = v
			continue
		}
		l.X, l.V = append(l.X, x), append(l.V, v)
	}
	l.X = append(l.X, d.at(d.Run.End))
	return l
}

// changeLane is a row with what was changed on purpose.
func changeLane(d *Document) []charts.Lane {
	lane := charts.Lane{Name: "change"}
	for _, c := range d.Changes {
		lane.Marks = append(lane.Marks, charts.Mark{At: d.at(c.At), Name: clean(c.Change), Symbol: charts.Changed})
	}
	if len(lane.Marks) == 0 {
		return nil
	}
	return []charts.Lane{lane}
}
