package charts

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Symbol is the shape of a mark.
type Symbol uint8

// The shapes of marks.
const (
	Down    Symbol = iota // something ended: a cross
	Up                    // something started or is ready: a triangle
	Paused                // a square
	Other                 // a dot
	Changed               // a square in the colour of changes: something was changed on purpose
)

// Mark is something that happened at one time.
type Mark struct {
	At     float64
	Name   string
	Symbol Symbol
}

// Lane is a named row of marks or of stretches.
type Lane struct {
	Name  string
	Marks []Mark
	Spans []LaneSpan
}

// LaneSpan is a stretch in a lane.
type LaneSpan struct {
	Span
	Tone Tone
	Mark string // written in it; "" for nothing
}

const laneHeight vg.Length = 20

// Strip draws lanes under each other over the window's time axis, with the
// phases as blocks on top: the score that the other charts follow.
func Strip(w Window, label string, lanes []Lane) (string, error) {
	height := 24 + 6 + laneHeight*vg.Length(len(lanes)+1)
	f := newFrame(height, 6, 24)
	f.X.Min, f.X.Max = 0, w.end()
	f.draw(shade(grouped(w.Bands), 0), w.changes(), w.blocks(), w.axis())
	for i, l := range lanes {
		f.draw(l.layer(i + 1))
	}
	return f.svg(label)
}

// Tracks draws lanes like Strip does, below the names of the phases.
func Tracks(w Window, label string, lanes []Lane) (string, error) {
	f := w.frame(laneHeight*vg.Length(len(lanes)), false)
	f.draw(w.axis())
	for i, l := range lanes {
		f.draw(l.layer(i))
	}
	return f.svg(label)
}

// blocks draws the phases as a row of named blocks.
func (w Window) blocks() layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		y1, y0 := c.Max.Y-1, c.Max.Y-laneHeight+2
		laneName(c, "phase", (y0+y1)/2)
		for _, ph := range w.Phases {
			from, to := clamp(x(ph.Start), c), clamp(x(ph.End), c)
			tone := PhaseFill
			if ph.Warmup {
				tone = WarmupFill
			}
			rect(c, tone, from+0.75, max(to-0.75, from+1.5), y0, y1)
			sty := write(textSize, Ink, draw.XCenter, draw.YCenter)
			c.FillText(sty, vg.Point{X: (from + to) / 2, Y: (y0 + y1) / 2}, fit(sty, ph.Name, to-from-6))
		}
	}
}

// layer draws the lane in the i-th row from the top.
func (l Lane) layer(i int) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		y := c.Max.Y - laneHeight*(vg.Length(i)+0.5)
		laneName(c, l.Name, y)
		c.StrokeLine2(line(0.6, Grid), c.Min.X, y, c.Max.X, y)
		for _, s := range l.Spans {
			from, to := clamp(x(s.Start), c), clamp(x(s.End), c)
			to = max(to, from+1.5)
			rect(c, s.Tone, from, to, y-6.5, y+6.5)
			sty := write(smallSize, Ink, draw.XLeft, draw.YCenter)
			c.FillText(sty, vg.Point{X: from + 5, Y: y}, fit(sty, s.Mark, to-from-8))
		}
		for j, m := range l.Marks {
			at := clamp(x(m.At), c)
			room := c.Max.X + marginRight - at - 10
			if j+1 < len(l.Marks) {
				room = clamp(x(l.Marks[j+1].At), c) - at - 16
			}
			m.Symbol.glyph(c, vg.Point{X: at, Y: y})
			sty := write(smallSize, Ink, draw.XLeft, draw.YCenter)
			c.FillText(sty, vg.Point{X: at + 7, Y: y}, fit(sty, m.Name, room))
		}
	}
}

// laneName writes in the left margin.
func laneName(c draw.Canvas, name string, y vg.Length) {
	sty := write(smallSize, Muted, draw.XRight, draw.YCenter)
	c.FillText(sty, vg.Point{X: c.Min.X - 8, Y: y}, fit(sty, name, marginLeft-10))
}

// glyph draws the mark's shape.
func (s Symbol) glyph(c draw.Canvas, at vg.Point) {
	g := draw.GlyphStyle{Color: Ink.standIn(), Radius: 4}
	switch s {
	case Down:
		sty := line(1.8, Open)
		c.StrokeLine2(sty, at.X-3.5, at.Y-3.5, at.X+3.5, at.Y+3.5)
		c.StrokeLine2(sty, at.X-3.5, at.Y+3.5, at.X+3.5, at.Y-3.5)
		return
	case Up:
		g.Color, g.Shape = Closed.standIn(), draw.PyramidGlyph{}
	case Paused:
		g.Color, g.Shape = HalfOpen.standIn(), draw.BoxGlyph{}
	case Changed:
		g.Color, g.Radius, g.Shape = Cat7.standIn(), 3.4, draw.BoxGlyph{}
	default:
		g.Radius, g.Shape = 3, draw.CircleGlyph{}
	}
	c.DrawGlyphNoClip(g, at)
}
