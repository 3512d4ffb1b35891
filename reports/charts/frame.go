// Package charts draws a report's charts as SVG fragments to be put inline in
// a page. It takes plain numbers and knows nothing of runs.
//
// All charts over time have the same width, margins and time axis, so that one
// set above another lines up.
package charts

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The measures of a chart, in SVG user units.
const (
	width       vg.Length = 960
	marginLeft  vg.Length = 58
	marginRight vg.Length = 92 // room for the names of lines at their ends
	textSize    vg.Length = 11
	smallSize   vg.Length = 10
)

// layer draws one thing into the data area of a plot. Unlike gonum's own
// plotters, which it may wrap, it never asks for padding: the data area stays
// where the margins put it.
type layer func(c draw.Canvas, p *plot.Plot)

// Plot implements plot.Plotter.
func (l layer) Plot(c draw.Canvas, p *plot.Plot) { l(c, p) }

// frame is a chart being drawn: a data area within fixed margins.
type frame struct {
	*plot.Plot
	height, top, bottom vg.Length
	right               vg.Length
}

// newFrame makes a chart of the given height with the given margins above and
// below its data area. gonum's axes are off: axes are layers here, drawn into
// the margins.
func newFrame(height, top, bottom vg.Length) *frame {
	p := plot.New()
	p.BackgroundColor = nil
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	return &frame{Plot: p, height: height, top: top, bottom: bottom, right: marginRight}
}

// draw adds layers, the lowest first.
func (f *frame) draw(layers ...layer) {
	for _, l := range layers {
		f.Add(l)
	}
}

// svg renders the chart. label says what it shows, for those who do not see it.
func (f *frame) svg(label string) (string, error) {
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, f.height))
	f.Draw(draw.Crop(draw.New(canvas), marginLeft, -f.right, f.bottom, -f.top))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("draw %s: %w", label, err)
	}
	return inline(b.String(), f.height, label), nil
}

// inline makes a fragment for a page out of the SVG document that the canvas
// writes: without prologue and fixed size, with tones for colours. The page
// sets the font.
func inline(doc string, height vg.Length, label string) string {
	body := doc
	if i := strings.Index(body, "<svg"); i >= 0 {
		body = body[i:]
		if j := strings.IndexByte(body, '>'); j >= 0 {
			body = body[j+1:]
		}
	}
	body = strings.NewReplacer(
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "",
		"font-family:Liberation Sans;font-variant:normal;font-weight:bold;font-style:normal;", "font-weight:600;",
		"\n\tstyle=", " style=",
	).Replace(body)
	body = toneNames().Replace(body)
	return fmt.Sprintf(`<svg class="chart" viewBox="0 0 %g %g" role="img" aria-label="%s">%s`,
		float64(width), float64(height), html.EscapeString(label), body)
}

// write is a style of text.
func write(size vg.Length, tone Tone, x draw.XAlignment, y draw.YAlignment) text.Style {
	return text.Style{
		Color:   tone.standIn(),
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign:  x,
		YAlign:  y,
		Handler: plot.DefaultTextHandler,
	}
}

// line is a style of line.
func line(w vg.Length, tone Tone, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: tone.standIn(), Width: w, Dashes: dashes}
}

// fit shortens s with an ellipsis until it is at most w wide; "" if not even
// two letters have room.
func fit(sty text.Style, s string, w vg.Length) string {
	if sty.Width(s) <= w {
		return s
	}
	r := []rune(s)
	for n := len(r) - 1; n >= 2; n-- {
		if t := strings.TrimRight(string(r[:n]), " -→>") + "…"; sty.Width(t) <= w {
			return t
		}
	}
	return ""
}
