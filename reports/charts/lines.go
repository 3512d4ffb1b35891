package charts

import (
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Line is a named series. A NaN in V is a gap.
type Line struct {
	Name   string
	Tone   Tone
	Width  float64   // 0: 1.4
	Dashes []float64 // none: solid
	X, V   []float64 // of one length, X never decreasing; with Step, X has one more
	Step   bool      // V[i] holds from X[i] to X[i+1]
}

// points gives the stretches without gaps. Steps are spelled out.
func (l Line) points() []plotter.XYs {
	var out []plotter.XYs
	var run plotter.XYs
	n := min(len(l.X), len(l.V))
	if l.Step {
		n = min(len(l.X)-1, len(l.V))
	}
	for i := range n {
		if math.IsNaN(l.V[i]) || math.IsInf(l.V[i], 0) || math.IsNaN(l.X[i]) {
			if len(run) > 0 {
				out, run = append(out, run), nil
			}
			continue
		}
		switch k := len(run); {
		case !l.Step:
			run = append(run, plotter.XY{X: l.X[i], Y: l.V[i]})
		case k > 0 && run[k-1].Y == l.V[i]: // the step goes on
			run[k-1].X = l.X[i+1]
		default:
			run = append(run, plotter.XY{X: l.X[i], Y: l.V[i]}, plotter.XY{X: l.X[i+1], Y: l.V[i]})
		}
	}
	if len(run) > 0 {
		out = append(out, run)
	}
	return out
}

// style is how the line is stroked.
func (l Line) style() draw.LineStyle {
	w := l.Width
	if w == 0 {
		w = 1.4
	}
	sty := line(vg.Length(w), l.Tone)
	for _, d := range l.Dashes {
		sty.Dashes = append(sty.Dashes, vg.Length(d))
	}
	return sty
}

// last is the last point that is not a gap.
func (l Line) last() (x, y float64, ok bool) {
	runs := l.points()
	if len(runs) == 0 {
		return 0, 0, false
	}
	r := runs[len(runs)-1]
	return r[len(r)-1].X, r[len(r)-1].Y, true
}

// layer draws the line. A point that stands alone is drawn as a dot, since a
// stroke of no length would not be seen.
func (l Line) layer() layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, y := p.Transforms(&c)
		for _, run := range l.points() {
			if len(run) == 1 {
				c.DrawGlyph(draw.GlyphStyle{Color: l.Tone.standIn(), Radius: 1.6, Shape: draw.CircleGlyph{}},
					vg.Point{X: x(run[0].X), Y: y(run[0].Y)})
				continue
			}
			(&plotter.Line{XYs: run, LineStyle: l.style()}).Plot(c, p)
		}
	}
}

// extent is the least and greatest value of lines that keep accepts.
func extent(lines []Line, keep func(float64) bool) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, v := range l.V {
			if !math.IsNaN(v) && !math.IsInf(v, 0) && keep(v) {
				lo, hi, ok = min(lo, v), max(hi, v), true
			}
		}
	}
	return lo, hi, ok
}

// names writes the name of each line where it ends, pushed apart so that none
// covers another.
func names(lines []Line) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		type label struct {
			x, y, at vg.Length
			l        Line
		}
		var labels []label
		for _, l := range lines {
			if x, y, ok := l.last(); ok && l.Name != "" {
				at := min(max(ty(y), c.Min.Y), c.Max.Y)
				labels = append(labels, label{tx(x), at, at, l})
			}
		}
		sort.SliceStable(labels, func(i, j int) bool { return labels[i].y < labels[j].y })
		const gap = 12.5
		for i := 1; i < len(labels); i++ {
			labels[i].y = max(labels[i].y, labels[i-1].y+gap)
		}
		for i := len(labels) - 1; i >= 0; i-- { // the topmost may have been pushed out
			top := c.Max.Y
			if i < len(labels)-1 {
				top = labels[i+1].y - gap
			}
			labels[i].y = min(labels[i].y, top)
		}
		for _, lb := range labels {
			x := c.Max.X + 8
			c.StrokeLine2(line(0.7, Edge, 1, 2), lb.x+2, lb.at, x-3, lb.y)
			sty := write(textSize, lb.l.Tone, draw.XLeft, draw.YCenter)
			c.FillText(sty, vg.Point{X: x, Y: lb.y}, fit(sty, lb.l.Name, width-x-2))
		}
	}
}
