package charts

import (
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Window is what all charts over time share. Times are seconds from the start
// of the timeline.
type Window struct {
	End    float64
	Phases []Phase
	Bands  []Span
}

// Phase is one phase as it really was.
type Phase struct {
	Name       string
	Start, End float64
	Warmup     bool
}

// Span is a named stretch of time, such as that of a fault.
type Span struct {
	Name       string
	Start, End float64
}

// end is the end of the time axis: never zero.
func (w Window) end() float64 {
	if w.End > 0 && !math.IsInf(w.End, 0) && !math.IsNaN(w.End) {
		return w.End
	}
	return 1
}

// frame makes a chart over the window: bands, phase boundaries and, above the
// data area, the names of the phases.
func (w Window) frame(height vg.Length, bandNames bool) *frame {
	f := newFrame(height, 20, 24)
	f.X.Min, f.X.Max = 0, w.end()
	f.draw(w.bands(bandNames), w.phases())
	return f
}

// close adds what lies over the data: the time axis.
func (w Window) axis() layer { return xAxis(timeTicks(w.end()), "") }

// bands shades the stretches in which something was broken.
func (w Window) bands(names bool) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		sty := write(smallSize, BandEdge, draw.XLeft, draw.YTop)
		for i, group := range grouped(w.Bands) {
			from, to := clamp(x(group.Start), c), clamp(x(group.End), c)
			if to-from < 1.5 {
				to = from + 1.5
			}
			rect(c, Band, from, to, c.Min.Y, c.Max.Y)
			c.StrokeLine2(line(1, BandEdge, 3, 2), from, c.Min.Y, from, c.Max.Y)
			c.StrokeLine2(line(1, BandEdge, 3, 2), to, c.Min.Y, to, c.Max.Y)
			if names {
				// Overlapping bands that are not the same get lines of their own.
				row := vg.Length(overlapsBefore(grouped(w.Bands), i))
				c.FillText(sty, vg.Point{X: from + 4, Y: c.Max.Y - 3 - row*13}, fit(sty, group.Name, to-from-8))
			}
		}
	}
}

// grouped joins bands of the same stretch into one with both names, in order
// of their starts.
func grouped(bands []Span) []Span {
	var out []Span
next:
	for _, b := range bands {
		for i := range out {
			if math.Abs(out[i].Start-b.Start) < 0.25 && math.Abs(out[i].End-b.End) < 0.25 {
				out[i].Name += " + " + b.Name
				continue next
			}
		}
		out = append(out, b)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Start < out[j].Start })
	return out
}

// overlapsBefore counts the bands before the i-th that reach into it.
func overlapsBefore(bands []Span, i int) int {
	n := 0
	for _, b := range bands[:i] {
		if b.End > bands[i].Start {
			n++
		}
	}
	return n
}

// phases marks where phases begin, with their names above the data area.
func (w Window) phases() layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		sty := write(smallSize, Muted, draw.XLeft, draw.YBottom)
		for _, ph := range w.Phases {
			from, to := clamp(x(ph.Start), c), clamp(x(ph.End), c)
			c.StrokeLine2(line(0.8, Edge, 1.5, 2.5), from, c.Min.Y, from, c.Max.Y+14)
			c.FillText(sty, vg.Point{X: from + 4, Y: c.Max.Y + 4}, fit(sty, ph.Name, to-from-6))
		}
	}
}

// clamp keeps an x within the data area.
func clamp(x vg.Length, c draw.Canvas) vg.Length { return max(c.Min.X, min(c.Max.X, x)) }

// rect fills a rectangle.
func rect(c draw.Canvas, tone Tone, x0, x1, y0, y1 vg.Length) {
	c.FillPolygon(tone.standIn(), []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}
