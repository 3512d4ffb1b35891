package charts

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tick is a labelled place on an axis; without a label it is a faint line.
type tick struct {
	at    float64
	label string
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that divides span
// into at most n parts.
func niceStep(span float64, n int) float64 {
	if span <= 0 || n < 1 {
		return 1
	}
	raw := span / float64(n)
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if mag*m >= raw*(1-1e-9) {
			return mag * m
		}
	}
	return mag * 10
}

// linearTicks divides 0..top, and gives the top rounded up to the next tick.
func linearTicks(top float64, n int, label func(float64) string) (ticks []tick, end float64) {
	if !(top > 0) {
		top = 1
	}
	step := niceStep(top, n)
	end = math.Ceil(top/step-1e-9) * step
	for i := 0; float64(i)*step <= end*(1+1e-9); i++ {
		v := float64(i) * step
		ticks = append(ticks, tick{v, label(v)})
	}
	return ticks, end
}

// logTicks labels powers of ten between lo and hi, and 2 and 5 times them where
// there are few.
func logTicks(lo, hi float64, label func(float64) string) []tick {
	var ticks []tick
	wide := math.Log10(hi/lo) > 2.2
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			t := tick{at: v}
			if m == 1 || !wide {
				t.label = label(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// logRange widens lo..hi to whole steps of 1, 2, 5, so that lines do not touch
// the edges.
func logRange(lo, hi float64) (float64, float64) {
	steps := []float64{1, 2, 5, 10}
	down := math.Pow(10, math.Floor(math.Log10(lo)))
	floor := down
	for _, s := range steps {
		if down*s <= lo {
			floor = down * s
		}
	}
	up := math.Pow(10, math.Floor(math.Log10(hi)))
	for _, s := range steps {
		if up*s >= hi {
			hi = up * s
			break
		}
	}
	if hi/floor < 9.99 {
		hi = floor * 10
	}
	return floor, hi
}

// yAxis draws horizontal grid lines with labels in the left margin, and the
// unit above them.
func yAxis(ticks []tick, unit string) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		sty := write(textSize, Muted, draw.XRight, draw.YCenter)
		_, y := p.Transforms(&c)
		for _, t := range ticks {
			at := y(t.at)
			if at < c.Min.Y-0.1 || at > c.Max.Y+0.1 {
				continue
			}
			c.StrokeLine2(line(0.6, Grid), c.Min.X, at, c.Max.X, at)
			if t.label != "" {
				c.FillText(sty, vg.Point{X: c.Min.X - 8, Y: at}, t.label)
			}
		}
		if unit != "" {
			c.FillText(write(smallSize, Muted, draw.XRight, draw.YBottom), vg.Point{X: c.Min.X - 8, Y: c.Max.Y + 8}, unit)
		}
	}
}

// xAxis draws the base line and its labels below.
func xAxis(ticks []tick, title string) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		sty := write(textSize, Muted, draw.XCenter, draw.YTop)
		x, _ := p.Transforms(&c)
		c.StrokeLine2(line(0.8, Edge), c.Min.X, c.Min.Y, c.Max.X, c.Min.Y)
		for _, t := range ticks {
			at := x(t.at)
			if at < c.Min.X-0.1 || at > c.Max.X+0.1 {
				continue
			}
			c.StrokeLine2(line(0.8, Edge), at, c.Min.Y, at, c.Min.Y-4)
			c.FillText(sty, vg.Point{X: at, Y: c.Min.Y - 6}, t.label)
		}
		if title != "" {
			c.FillText(write(smallSize, Muted, draw.XRight, draw.YTop), vg.Point{X: c.Max.X, Y: c.Min.Y - 20}, title)
		}
	}
}

// timeTicks labels a span of seconds in steps a person counts in.
func timeTicks(end float64) []tick {
	steps := []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if end/s <= 12 {
			step = s
			break
		}
	}
	var ticks []tick
	for i := 0; i < 1000 && float64(i)*step <= end*(1+1e-9); i++ {
		ticks = append(ticks, tick{float64(i) * step, clock(float64(i)*step, step, end)})
	}
	return ticks
}

// clock writes a time of an axis that goes to end: "40s", "2:30", "1:05:00".
func clock(s, step, end float64) string {
	switch {
	case step < 1:
		return strconv.FormatFloat(s, 'f', 1, 64) + "s"
	case end <= 120:
		return strconv.FormatFloat(s, 'f', -1, 64) + "s"
	}
	t := int(s)
	if t >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", t/3600, t/60%60, t%60)
	}
	return fmt.Sprintf("%d:%02d", t/60, t%60)
}

// seconds writes a latency of a tick: "200µs", "10ms", "2s".
func seconds(v float64) string {
	d := time.Duration(math.Round(v * 1e9))
	short := func(f float64, unit string) string { return strconv.FormatFloat(f, 'f', -1, 64) + unit }
	switch {
	case d <= 0:
		return "0"
	case d < time.Microsecond:
		return short(float64(d), "ns")
	case d < time.Millisecond:
		return short(float64(d)/1e3, "µs")
	case d < time.Second:
		return short(float64(d)/1e6, "ms")
	default:
		return short(float64(d)/1e9, "s")
	}
}

// count writes a number of a tick: "250", "1.5k", "2M".
func count(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	default:
		return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
	}
}
