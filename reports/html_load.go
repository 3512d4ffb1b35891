package reports

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ordeal/reports/charts"
	"ordeal/runner/evidence"
)

// most is how many points a line over time has at most.
const most = 600

// slice is a stretch of time with what was counted in it.
type slice struct {
	evidence.Counts
	start, took float64                           // seconds of the timeline
	values      [len(overTimePercentiles)]float64 // seconds
}

// overTimePercentiles are those that are drawn over time.
var overTimePercentiles = [...]float64{100, 50, 90, 99}

// overTime draws a load: latency, rate, and what went wrong.
func overTime(w charts.Window, d *Document, sum *evidence.Summary, i int) ([]figure, error) {
	l := d.Loads[i]
	slices := slicesOf(d, sum, &sum.Loads[i])
	if len(slices) == 0 {
		return nil, nil
	}
	name := clean(l.Name)
	svg, err := charts.Latency(w, "response time of "+name+" over time", latencyLines(slices))
	if err != nil {
		return nil, err
	}
	took := plain(time.Duration(slices[0].took * float64(time.Second)))
	out := []figure{{
		Title: "Response time", Note: "of the calls intended in each " + took + "; logarithmic. A stretch too short of calls for a percentile shows none",
		SVG: template.HTML(svg),
	}}
	lines, note := rateLines(l, d, slices)
	if svg, err = charts.Rate(w, "calls per second of "+name+" over time", lines); err != nil {
		return nil, err
	}
	out = append(out, figure{Title: "Rate", Note: note, SVG: template.HTML(svg)})
	series := errorSeries(slices)
	if len(series) == 0 {
		return append(out, figure{Title: "Errors", Note: "no call failed, no answer was degraded"}), nil
	}
	if svg, err = charts.Stack(w, "errors per second of "+name+" over time", slices[0].took, series); err != nil {
		return nil, err
	}
	return append(out, figure{Title: "Errors and degraded answers", Note: "calls per second", SVG: template.HTML(svg)}), nil
}

// slicesOf joins intervals so that there are at most as many as can be seen.
func slicesOf(d *Document, sum *evidence.Summary, l *evidence.LoadSummary) []slice {
	n := len(l.Intervals)
	if n == 0 || sum.Interval <= 0 {
		return nil
	}
	group := (n + most - 1) / most
	all := &joined{h: hdrhistogram.New(1, int64(time.Hour), 2)}
	var out []slice
	for i := 0; i < n; i += group {
		part := l.Intervals[i:min(i+group, n)]
		start := sum.Start + time.Duration(i)*sum.Interval
		s := slice{start: d.at(start), took: (time.Duration(group) * sum.Interval).Seconds()}
		for k := range part {
			s.Add(part[k].Counts)
		}
		percentile := func(p float64) time.Duration { v, _ := part[0].Percentile(p); return v }
		if len(part) > 1 {
			all.join(part)
			percentile = all.percentile
		}
		for k, p := range overTimePercentiles {
			s.values[k] = percentile(p).Seconds()
		}
		out = append(out, s)
	}
	return out
}

// joined gives percentiles of several intervals from their merged histograms.
type joined struct {
	h        *hdrhistogram.Histogram
	greatest time.Duration
}

// join forgets what was joined before.
func (j *joined) join(part []evidence.Interval) {
	j.h.Reset()
	j.greatest = 0
	for i := range part {
		j.greatest = max(j.greatest, part[i].Response.Max())
		part[i].Response.Buckets(func(v time.Duration, n int64) bool { return j.h.RecordValues(int64(v), n) == nil })
	}
}

func (j *joined) percentile(p float64) time.Duration {
	if p >= 100 {
		return j.greatest
	}
	return min(time.Duration(j.h.ValueAtPercentile(p)), j.greatest)
}

// latencyLines are the percentiles over time. A line over time shows a
// percentile as soon as one call lies beyond it, where a judgement wants ten:
// its course over several stretches is what is looked at.
func latencyLines(slices []slice) []charts.Line {
	lines := []charts.Line{
		{Name: "max", Tone: charts.Max, Width: 1, Dashes: []float64{1.5, 2}},
		{Name: "p50", Tone: charts.P50, Width: 1.8},
		{Name: "p90", Tone: charts.P90, Width: 1.6},
		{Name: "p99", Tone: charts.P99, Width: 1.6},
	}
	for i, p := range overTimePercentiles {
		lines[i].Step, lines[i].X = true, edges(slices)
		for _, s := range slices {
			v := math.NaN()
			if s.Calls > 0 && (p == 100 || float64(s.Calls)*(1-p/100) >= 1) {
				v = s.values[i]
			}
			lines[i].V = append(lines[i].V, v)
		}
	}
	return lines
}

// edges are the times at which slices begin, and the end of the last.
func edges(slices []slice) []float64 {
	var x []float64
	for _, s := range slices {
		x = append(x, s.start)
	}
	last := slices[len(slices)-1]
	return append(x, last.start+last.took)
}

// rateLines are the calls that were made against those that were planned.
func rateLines(l Load, d *Document, slices []slice) (lines []charts.Line, note string) {
	end := d.at(d.Run.End)
	attained := charts.Line{Name: "calls", Tone: charts.Attained, Step: true, X: edges(slices)}
	for _, s := range slices {
		rate := math.NaN()
		if took := min(s.took, end-s.start); took > s.took/4 { // the last one may be cut too short for a rate
			rate = float64(s.Calls) / took
		}
		attained.V = append(attained.V, rate)
	}
	lines = []charts.Line{attained}
	note = "calls per second, by the time they were intended for"
	if l.Closed() {
		return lines, "calls per second; a closed model plans no rate"
	}
	planned := charts.Line{Name: "planned", Tone: charts.Planned, Width: 1.2, Dashes: []float64{4, 3}, Step: true}
	for _, p := range l.Phases {
		for _, ph := range d.Phases {
			if ph.Name != p.Phase || ph.Planned <= 0 {
				continue
			}
			planned.X = append(planned.X, d.at(ph.Start), d.at(ph.End))
			planned.V = append(planned.V, float64(p.Planned)/ph.Planned.Seconds(), math.NaN())
		}
	}
	if len(planned.X) > 0 {
		lines = append(lines, planned)
		note += fmt.Sprintf("; planned as the mean of each phase (%s)", clean(l.Shape))
	}
	return lines, note
}

// errorSeries are the classes that occurred, and degraded answers.
func errorSeries(slices []slice) []charts.Line {
	var out []charts.Line
	add := func(name string, tone charts.Tone, of func(*evidence.Counts) int64) {
		line := charts.Line{Name: name, Tone: tone}
		var all int64
		for i := range slices {
			n := of(&slices[i].Counts)
			all += n
			line.X = append(line.X, slices[i].start)
			line.V = append(line.V, float64(n)/slices[i].took)
		}
		if all > 0 {
			out = append(out, line)
		}
	}
	add("degraded", charts.Degraded, func(c *evidence.Counts) int64 { return c.Marked })
	for k := 1; k < evidence.NumClasses; k++ {
		add(evidence.Class(k).String(), charts.Category(k-1), func(c *evidence.Counts) int64 { return c.Class[k] })
	}
	return out
}
