package reports

import (
	"fmt"
	"html/template"
	"math"

	"ordeal/reports/charts"
)

// generatorFigures draw what the generator cost and suffered over time.
func generatorFigures(d *Document, w charts.Window) ([]figure, error) {
	c := d.course
	if c == nil {
		return nil, nil
	}
	var x []float64
	for _, at := range c.steps {
		x = append(x, d.at(at))
	}
	cores := float64(d.Generator.CPUs)
	lines := []charts.Line{{Name: "generator", Tone: charts.P99, Width: 1.6, Step: true, X: x, V: c.cpu}}
	note := fmt.Sprintf("cores in use, of %d", d.Generator.CPUs)
	if c.others != nil {
		lines = append(lines, charts.Line{Name: "all else", Tone: charts.Cat2, Width: 1.4, Dashes: []float64{6, 3}, Step: true, X: x, V: c.others})
		note += "; all else is every other process of the machine, targets included"
	} else {
		note += "; what other processes used was not recorded"
	}
	if cores > 0 {
		lines = append(lines, charts.Line{Name: plural(d.Generator.CPUs, "core"), Tone: charts.Planned, Width: 1, Dashes: []float64{4, 3},
			X: []float64{x[0], x[len(x)-1]}, V: []float64{cores, cores}})
	}
	svg, err := charts.Traffic(w, "CPU of the generator over time", lines, nil)
	if err != nil {
		return nil, err
	}
	out := []figure{{Title: "CPU of the generator", Note: note, SVG: template.HTML(svg)}}
	var delays []charts.Line
	for _, l := range []charts.Line{
		{Name: "sched max", Tone: charts.Max, Width: 1, Dashes: []float64{1.5, 2}, V: c.schedMost},
		{Name: "sched p99", Tone: charts.P99, Width: 1.6, V: c.schedP99},
		{Name: "GC pause", Tone: charts.Cat2, Width: 1.4, Dashes: []float64{6, 3}, V: c.gc},
	} {
		for _, v := range l.V {
			if v > 0 && !math.IsNaN(v) {
				l.X, l.Step = x, true
				delays = append(delays, l)
				break
			}
		}
	}
	if len(delays) == 0 {
		return out, nil
	}
	if svg, err = charts.Delays(w, "delays inside the generator over time", delays); err != nil {
		return nil, err
	}
	return append(out, figure{Title: "Delays inside the generator", SVG: template.HTML(svg),
		Note: "the longest of each stretch, logarithmic: a goroutine that could run waits for a processor (sched), all wait for the garbage collector"}), nil
}
