package charts

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Rate draws calls per second: the first line filled down to zero, the others
// over it.
func Rate(w Window, label string, lines []Line) (string, error) {
	f := w.frame(108, false)
	_, hi, _ := extent(lines, func(v float64) bool { return v >= 0 })
	ticks, top := linearTicks(hi*1.04, 4, count)
	f.Y.Min, f.Y.Max = 0, top
	f.draw(yAxis(ticks, ""), w.axis())
	for i, l := range lines {
		if i == 0 {
			f.draw(area(l))
		}
		f.draw(l.layer())
	}
	f.draw(names(lines))
	return f.svg(label)
}

// Traffic draws lines per second, none of them filled. label writes a tick; nil
// stands for plain numbers.
func Traffic(w Window, title string, lines []Line, label func(float64) string) (string, error) {
	if label == nil {
		label = count
	}
	f := w.frame(88, false)
	_, hi, _ := extent(lines, func(v float64) bool { return v >= 0 })
	ticks, top := linearTicks(hi*1.04, 3, label)
	f.Y.Min, f.Y.Max = 0, top
	f.draw(yAxis(ticks, ""), w.axis())
	for _, l := range lines {
		f.draw(l.layer())
	}
	f.draw(names(lines))
	return f.svg(title)
}

// area fills the stretch between a line and zero.
func area(l Line) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		for _, run := range l.points() {
			if len(run) < 2 {
				continue
			}
			ring := append(plotter.XYs{{X: run[0].X}}, run...)
			ring = append(ring, plotter.XY{X: run[len(run)-1].X})
			(&plotter.Polygon{XYs: []plotter.XYs{ring}, Color: AttainedFill.standIn()}).Plot(c, p)
		}
	}
}

// Stack draws series as bars on top of each other, each from X[i] to X[i] plus
// barWidth seconds. The series' names stand beside the chart, in the order of
// the stack.
func Stack(w Window, label string, barWidth float64, series []Line) (string, error) {
	f := w.frame(88, false)
	var sums []float64
	for _, s := range series {
		for i, v := range s.V {
			if i >= len(sums) {
				sums = append(sums, 0)
			}
			if v > 0 && !math.IsInf(v, 0) {
				sums[i] += v
			}
		}
	}
	_, hi, _ := extent([]Line{{V: sums}}, func(v float64) bool { return v >= 0 })
	ticks, top := linearTicks(hi, 3, count)
	f.Y.Min, f.Y.Max = 0, top
	f.draw(yAxis(ticks, ""), bars(barWidth, series), w.axis(), legend(series))
	return f.svg(label)
}

// bars draws the stacks.
func bars(barWidth float64, series []Line) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, y := p.Transforms(&c)
		var below []float64
		for _, s := range series {
			var path vg.Path
			for i := range min(len(s.X), len(s.V)) {
				if i >= len(below) {
					below = append(below, 0)
				}
				if !(s.V[i] > 0) || math.IsInf(s.V[i], 0) {
					continue
				}
				x0, x1 := clamp(x(s.X[i]), c), clamp(x(s.X[i]+barWidth), c)
				if x1-x0 > 3 {
					x0, x1 = x0+0.5, x1-0.5
				}
				y0, y1 := y(below[i]), y(below[i]+s.V[i])
				y1 = max(y1, y0+1) // a single failed call among thousands is still seen
				path.Move(vg.Point{X: x0, Y: y0})
				path.Line(vg.Point{X: x1, Y: y0})
				path.Line(vg.Point{X: x1, Y: y1})
				path.Line(vg.Point{X: x0, Y: y1})
				path.Close()
				below[i] += s.V[i]
			}
			if len(path) > 0 {
				c.SetColor(s.Tone.standIn())
				c.Fill(path)
			}
		}
	}
}

// legend names the series of a stack in the right margin, the topmost first.
func legend(series []Line) layer {
	return func(c draw.Canvas, _ *plot.Plot) {
		x, y := c.Max.X+8, c.Max.Y-4
		for i := len(series) - 1; i >= 0; i-- {
			rect(c, series[i].Tone, x, x+7, y-3.5, y+3.5)
			sty := write(smallSize, Ink, draw.XLeft, draw.YCenter)
			c.FillText(sty, vg.Point{X: x + 11, Y: y}, fit(sty, series[i].Name, width-x-12))
			y -= 14
		}
	}
}
