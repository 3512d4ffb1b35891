package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"ordeal/reports/charts"
	"ordeal/runner/evidence"
)

// pageCharts draws the run: what happened, then every load.
func pageCharts(run *evidence.Run, d *Document) (overview []figure, loads []loadFigures, err error) {
	w := window(d)
	lanes := slices.Concat(faultLanes(d), changeLane(d), eventLanes(d))
	if len(d.Phases) > 0 {
		svg, err := charts.Strip(w, "phases, faults and events over time", lanes)
		if err != nil {
			return nil, nil, err
		}
		overview = append(overview, figure{Title: "What happened", SVG: template.HTML(svg)})
	}
	run.Gather([]evidence.SeriesName{{Name: "breaker_state"}, {Name: "link_calls_total"}, {Name: "link_bytes_down_total"}})
	states, err := breakerFigure(run, d, w)
	if err != nil {
		return nil, nil, err
	}
	links, err := linkFigures(run, d, w)
	if err != nil {
		return nil, nil, err
	}
	pods, err := clusterFigures(d, w)
	if err != nil {
		return nil, nil, err
	}
	overview = slices.Concat(overview, pods, states, links)
	sum, err := run.Summary()
	if err != nil {
		return nil, nil, fmt.Errorf("sum up the run's calls: %w", err)
	}
	for i := range sum.Loads {
		if i >= len(d.Loads) {
			break
		}
		lf := loadFigures{Load: d.Loads[i]}
		if lf.OverTime, err = overTime(w, d, sum, i); err != nil {
			return nil, nil, err
		}
		if lf.Quantiles, err = quantileFigure(d.Loads[i], &sum.Loads[i]); err != nil {
			return nil, nil, err
		}
		loads = append(loads, lf)
	}
	return overview, loads, nil
}

// window puts what all charts share on the timeline's clock.
func window(d *Document) charts.Window {
	w := charts.Window{End: d.at(d.Run.End)}
	for _, p := range d.Phases {
		w.Phases = append(w.Phases, charts.Phase{Name: clean(p.Name), Start: d.at(p.Start), End: d.at(p.End), Warmup: p.Warmup})
	}
	for _, f := range d.Faults {
		if f.Injected > 0 {
			w.Bands = append(w.Bands, charts.Span{Name: clean(f.Fault), Start: d.at(f.Injected), End: d.at(f.until(d))})
		}
	}
	for _, c := range d.Changes {
		w.Changes = append(w.Changes, d.at(c.At))
	}
	return w
}

// at is an offset of the evidence in seconds of the timeline.
func (d *Document) at(t time.Duration) float64 { return (t - d.Run.Start).Seconds() }

// until is when a fault was healed, or the end of the run.
func (f Fault) until(d *Document) time.Duration {
	if f.Healed != nil {
		return *f.Healed
	}
	return d.Run.End
}

// faultLanes gives each link or target that was broken a row.
func faultLanes(d *Document) []charts.Lane {
	var lanes []charts.Lane
	index := make(map[string]int)
	for _, f := range d.Faults {
		if f.Injected <= 0 {
			continue
		}
		i, ok := index[f.on()]
		// A row holds one fault at a time.
		if !ok || lastEnd(lanes[i]) > d.at(f.Injected) {
			i, index[f.on()] = len(lanes), len(lanes)
			lanes = append(lanes, charts.Lane{Name: "fault"})
		}
		lanes[i].Spans = append(lanes[i].Spans, charts.LaneSpan{
			Span: charts.Span{Start: d.at(f.Injected), End: d.at(f.until(d))}, Tone: charts.FaultFill, Mark: clean(f.Fault),
		})
	}
	return lanes
}

func lastEnd(l charts.Lane) float64 { return l.Spans[len(l.Spans)-1].End }

// eventLanes gives each target or link that something happened to while the
// timeline went on a row of marks.
func eventLanes(d *Document) []charts.Lane {
	type look struct {
		name   string
		symbol charts.Symbol
	}
	looks := map[evidence.Kind]look{
		// When a target is started says nothing that its being ready does not.
		evidence.TargetReady: {"ready", charts.Up}, evidence.TargetExit: {"exit", charts.Down},
		evidence.TargetPaused: {"paused", charts.Paused}, evidence.TargetResumed: {"resumed", charts.Up},
		evidence.LinkGaveUp: {"gave up", charts.Other},
	}
	var lanes []charts.Lane
	index := make(map[string]int)
	for _, e := range d.Events {
		l, ok := looks[e.Kind]
		if !ok || e.At < d.Run.Start || e.At > d.Run.End {
			continue
		}
		on := eventOn(e)
		i, ok := index[on]
		if !ok {
			i, index[on] = len(lanes), len(lanes)
			lanes = append(lanes, charts.Lane{Name: clean(on)})
		}
		lanes[i].Marks = append(lanes[i].Marks, charts.Mark{At: d.at(e.At), Name: l.name, Symbol: l.symbol})
	}
	return lanes
}

// breakerFigure tells the states of every breaker that was scraped.
func breakerFigure(run *evidence.Run, d *Document, w charts.Window) ([]figure, error) {
	series, err := run.Series("", "breaker_state")
	if err != nil {
		return nil, fmt.Errorf("read the breaker's states: %w", err)
	}
	var lanes []charts.Lane
	for _, s := range series {
		name, ok := s.Label("breaker")
		if !ok {
			name = s.Target
		}
		spans := stateSpans(s, d)
		if pod, of := d.podOf(s.Target); of {
			if len(spans) == 1 && spans[0].Mark == "closed" {
				continue // Pods are many, and of one that did its work there is nothing to see
			}
			name = shortPod(pod)
		}
		if len(spans) > 0 {
			lanes = append(lanes, charts.Lane{Name: clean(name), Spans: spans})
		}
	}
	if len(lanes) == 0 {
		return nil, nil
	}
	svg, err := charts.Tracks(w, "states of breakers over time", lanes)
	if err != nil {
		return nil, err
	}
	return []figure{{Title: "Breaker state", Keys: []string{"closed", "open", "half-open"}, Note: "as the target exported it, read about every 250 ms", SVG: template.HTML(svg)}}, nil
}

// stateSpans joins equal values of a state series into stretches.
func stateSpans(s evidence.Series, d *Document) []charts.LaneSpan {
	looks := map[float64]charts.LaneSpan{
		0: {Mark: "closed", Tone: charts.ClosedFill}, 1: {Mark: "open", Tone: charts.OpenFill}, 2: {Mark: "half-open", Tone: charts.HalfOpenFill},
	}
	s = s.Between(d.Run.Start, d.Run.End)
	var spans []charts.LaneSpan
	for i, v := range s.V {
		at := d.at(s.T[i])
		n := len(spans)
		if n > 0 {
			spans[n-1].End = at
			if v == s.V[i-1] {
				continue
			}
		}
		l, ok := looks[v]
		if !ok {
			l = charts.LaneSpan{Mark: fmt.Sprintf("%g", v), Tone: charts.PhaseFill}
		}
		l.Start, l.End = at, at
		spans = append(spans, l)
	}
	return spans
}

// quantileFigure draws the distribution of response times in each phase.
func quantileFigure(l Load, s *evidence.LoadSummary) ([]figure, error) {
	var lines []charts.Line
	for _, f := range l.Phases {
		st := s.Phases[f.Phase]
		if st == nil || st.Response.Count() == 0 {
			continue
		}
		line := quantiles(st.Response)
		i := len(lines)
		line.Name, line.Tone, line.Dashes = clean(f.Phase), charts.Category(i), charts.Dashes(i)
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	svg, err := charts.Quantiles("response time by percentile of "+clean(l.Name), lines)
	if err != nil {
		return nil, err
	}
	return []figure{{
		Title: "Response time by percentile", Note: "one line a phase, each as far as it has calls; every nine further right is ten times rarer",
		SVG: template.HTML(svg),
	}}, nil
}

// quantiles walks a distribution in even steps of nines, up to the one call
// that was slowest.
func quantiles(d *evidence.Distribution) charts.Line {
	const stepsPerNine = 24
	var l charts.Line
	n := float64(d.Count())
	for i := 0; ; i++ {
		x := math.Pow(10, float64(i)/stepsPerNine)
		if x >= n {
			break
		}
		v, _ := d.Percentile(100 * (1 - 1/x))
		l.X, l.V = append(l.X, x), append(l.V, v.Seconds())
	}
	l.X, l.V = append(l.X, max(n, 1)), append(l.V, d.Max().Seconds())
	return l
}
