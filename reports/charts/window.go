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
	End     float64
	Phases  []Phase
	Bands   []Span
	Changes []float64 // when something was changed on purpose, for good
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

// nameRow is the height of a row of names above the data area.
const nameRow vg.Length = 13

// frame makes a chart with a data area of the given height over the window:
// bands, phase boundaries and, above the data area, the names of the phases
// and, where asked for, of the bands.
func (w Window) frame(data vg.Length, bandNames bool) *frame {
	bands := grouped(w.Bands)
	rows := vg.Length(0)
	if bandNames {
		for i := range bands {
			rows = max(rows, vg.Length(overlapsBefore(bands, i)+1))
		}
	}
	top, bottom := 18+rows*nameRow, vg.Length(24)
	f := newFrame(top+data+bottom, top, bottom)
	f.X.Min, f.X.Max = 0, w.end()
	f.draw(shade(bands, rows), w.changes(), w.phases(rows))
	return f
}

// axis is the time axis.
func (w Window) axis() layer { return xAxis(timeTicks(w.end()), "") }

// shade shows the stretches in which something was broken, with their names in
// rows above the data area; without rows, there are no names.
func shade(bands []Span, rows vg.Length) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		sty := write(smallSize, BandEdge, draw.XLeft, draw.YBottom)
		top := c.Max.Y + rows*nameRow
		for i, b := range bands {
			from, to := clamp(x(b.Start), c), clamp(x(b.End), c)
			to = max(to, from+1.5)
			rect(c, Band, from, to, c.Min.Y, top)
			c.StrokeLine2(line(1, BandEdge, 3, 2), from, c.Min.Y, from, top)
			c.StrokeLine2(line(1, BandEdge, 3, 2), to, c.Min.Y, to, top)
			if rows > 0 {
				y := top - nameRow*vg.Length(overlapsBefore(bands, i)+1) + 2
				c.FillText(sty, vg.Point{X: from + 4, Y: y}, fit(sty, b.Name, max(to-from-8, spaceAfter(bands, i, from, x, c))))
			}
		}
	}
}

// spaceAfter is the room that the i-th band's name has, from its start until
// the next band of any row, when it is longer than its band.
func spaceAfter(bands []Span, i int, from vg.Length, x func(float64) vg.Length, c draw.Canvas) vg.Length {
	if i+1 < len(bands) {
		return clamp(x(bands[i+1].Start), c) - from - 8
	}
	return c.Max.X - from - 8
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

// phases marks where phases begin, with their names above the data area and
// the rows of other names.
func (w Window) phases(rows vg.Length) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		sty := write(smallSize, Muted, draw.XLeft, draw.YBottom)
		for _, ph := range w.Phases {
			from, to := clamp(x(ph.Start), c), clamp(x(ph.End), c)
			c.StrokeLine2(line(0.8, Edge, 1.5, 2.5), from, c.Min.Y, from, c.Max.Y+rows*nameRow+14)
			c.FillText(sty, vg.Point{X: from + 4, Y: c.Max.Y + rows*nameRow + 4}, fit(sty, ph.Name, to-from-6))
		}
	}
}

// changes marks when something was changed, by a line through the data area.
func (w Window) changes() layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		for _, at := range w.Changes {
			c.StrokeLine2(line(1.1, Cat7), clamp(x(at), c), c.Min.Y, clamp(x(at), c), c.Max.Y)
		}
	}
}

// clamp keeps an x within the data area.
func clamp(x vg.Length, c draw.Canvas) vg.Length { return max(c.Min.X, min(c.Max.X, x)) }

// rect fills a rectangle.
func rect(c draw.Canvas, tone Tone, x0, x1, y0, y1 vg.Length) {
	c.FillPolygon(tone.standIn(), []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}
