package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ordeal/runner/load"
)

// timeline draws a bar for each phase, its changes and faults below it, and the shape of
// each load.
func (d *description) timeline() {
	d.section("Timeline")
	c := d.canvas()
	d.line("  %-*s %6s %6s", c.gutter, "", "at", "for")
	for _, ph := range d.plan.Phases {
		from, to := c.column(ph.Start), c.column(ph.End())
		to = min(max(to, from+1), c.columns)
		from = min(from, to-1)
		bar := strings.Repeat(" ", from) + strings.Repeat(stroke(ph), to-from)
		d.line("  %-*s %6s %6s  %s", c.gutter, ph.Name, span(ph.Start), span(ph.For), bar)
		for _, change := range ph.Changes {
			d.below(c, from, "↻ "+change.String())
		}
		for _, f := range ph.Faults {
			d.below(c, from, "└ "+f.String())
		}
	}
	for _, l := range d.plan.Loads {
		d.line("  %-*s %13s  %s", c.gutter, l.Name, peak(d.plan, l, c.columns), sparkline(d.plan, l, c.columns))
	}
	d.line("  %-*s %13s  %s", c.gutter, "", "", c.axis(d.plan.Duration()))
}

// stroke is what the bar of a phase is drawn with.
func stroke(ph Phase) string {
	switch {
	case len(ph.Faults) > 0:
		return "▒"
	case ph.Warmup:
		return "┄"
	}
	return "━"
}

// canvas is the room that the timeline is drawn in.
type canvas struct {
	gutter  int // for names
	columns int // for time
	total   time.Duration
}

func (d *description) canvas() canvas {
	c := canvas{total: d.plan.Duration()}
	for _, ph := range d.plan.Phases {
		c.gutter = max(c.gutter, len(ph.Name))
	}
	for _, l := range d.plan.Loads {
		c.gutter = max(c.gutter, len(l.Name))
	}
	c.columns = max(d.width-c.gutter-18, 8)
	return c
}

// column is where a time lies.
func (c canvas) column(at time.Duration) int {
	return int(float64(at)/float64(c.total)*float64(c.columns) + 0.5)
}

// axis marks the start and the end.
func (c canvas) axis(total time.Duration) string {
	end := span(total)
	return "0s" + strings.Repeat(" ", max(1, c.columns-2-len(end))) + end
}

// below writes a change or a fault below its phase, moved to the left as far as it
// must be.
func (d *description) below(c canvas, column int, text string) {
	indent := c.gutter + 18 + column
	if over := indent + runes(text) - d.width; over > 0 {
		indent = max(2, indent-over)
	}
	for _, line := range wrap(text, d.width-indent) {
		d.line("%s%s", strings.Repeat(" ", indent), line)
	}
}

var levels = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the rate of a load over the timeline against its peak; a
// closed model, whose rate nobody knows before, is a dotted line.
func sparkline(p *Plan, l *load.Spec, columns int) string {
	if l.Closed() {
		return strings.Repeat("·", columns)
	}
	rates, most := ratesOf(p, l, columns), peakRate(p, l, columns)
	var b strings.Builder
	for _, r := range rates {
		if r <= 0 || most <= 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[min(int(r/most*float64(len(levels))), len(levels)-1)])
	}
	return b.String()
}

// peak says what the top of a load's sparkline stands for, to two digits.
func peak(p *Plan, l *load.Spec, columns int) string {
	if l.Closed() {
		return counted(l.Clients, "client")
	}
	own := func(ph Phase) bool { return ph.Rates[l.Name] != nil }
	if l.Rate.Hold != nil && !slices.ContainsFunc(p.Phases, own) {
		return l.Rate.String()
	}
	most, unit := peakRate(p, l, columns), "s"
	if most < 1 {
		most, unit = most*60, "m"
	}
	scale := math.Pow(10, max(0, math.Floor(math.Log10(max(most, 1)))-1))
	return fmt.Sprintf("to %.0f/%s", math.Round(most/scale)*scale, unit)
}

// peakRate is the greatest rate of a load, looked for between the columns too.
func peakRate(p *Plan, l *load.Spec, columns int) float64 {
	const finer = 8
	return max(slices.Max(ratesOf(p, l, columns)), slices.Max(ratesOf(p, l, columns*finer)))
}

// ratesOf is the rate of a load in each of so many parts of the timeline, in
// calls a second.
func ratesOf(p *Plan, l *load.Spec, parts int) []float64 {
	rates := make([]float64, parts)
	even := *l
	even.Arrivals = "uniform" // the shape without chance
	schedule, err := even.Schedule(p.Spans(l.Name), p.Seed)
	if err != nil {
		return rates
	}
	width := float64(p.Duration()) / float64(parts)
	spans := make([]load.PhaseSpan, parts)
	for i := range spans {
		start := time.Duration(float64(i) * width)
		spans[i] = load.PhaseSpan{Name: fmt.Sprint(i), Start: start, For: time.Duration(float64(i+1)*width) - start}
	}
	planned := load.Planned(schedule, spans)
	counts := make([]int64, parts)
	for i, s := range spans {
		counts[i] = planned[s.Name]
	}
	for i := range rates {
		rates[i] = around(counts, i) / width * float64(time.Second)
	}
	return rates
}

// enough is how many calls make a rate that is not mere rounding.
const enough = 20

// around is the mean count about part i, over as many parts to both sides as
// have enough calls.
func around(counts []int64, i int) float64 {
	sum, from, to := counts[i], i, i
	for sum < enough && (from > 0 || to < len(counts)-1) {
		if from > 0 {
			from--
			sum += counts[from]
		}
		if to < len(counts)-1 {
			to++
			sum += counts[to]
		}
	}
	return float64(sum) / float64(to-from+1)
}
