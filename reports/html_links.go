package reports

import (
	"fmt"
	"html/template"
	"slices"

	"ordeal/reports/charts"
	"ordeal/runner/evidence"
)

// linkFigures draw what went through the links: calls where a link carries
// HTTP/2, which tells them apart, else bytes.
func linkFigures(run *evidence.Run, d *Document, w charts.Window) ([]figure, error) {
	calls, err := run.Series("", "link_calls_total")
	if err != nil {
		return nil, fmt.Errorf("read the traffic of links: %w", err)
	}
	down, err := run.Series("", "link_bytes_down_total")
	if err != nil {
		return nil, fmt.Errorf("read the traffic of links: %w", err)
	}
	var callLines, byteLines []charts.Line
	counted := make(map[string]bool)
	for _, s := range calls {
		if l, moved := perSecondLine(s, d); moved {
			counted[s.Target] = true
			callLines = append(callLines, l.as(len(callLines)))
		}
	}
	for _, s := range down {
		if l, moved := perSecondLine(s, d); moved && !counted[s.Target] {
			byteLines = append(byteLines, l.as(len(byteLines)))
		}
	}
	var out []figure
	for _, c := range []struct {
		lines       []charts.Line
		title, note string
		label       func(float64) string
	}{
		{callLines, "Calls through", "streams opened per second", nil},
		{byteLines, "Answers through", "bytes per second", func(v float64) string { return size(int64(v)) }},
	} {
		if len(c.lines) == 0 {
			continue
		}
		title := c.title + " links"
		if len(c.lines) == 1 {
			title, c.lines[0].Name = c.title+" "+c.lines[0].Name, ""
		}
		svg, err := charts.Traffic(w, title+" over time", c.lines, c.label)
		if err != nil {
			return nil, err
		}
		out = append(out, figure{Title: title, Note: c.note, SVG: template.HTML(svg)})
	}
	return out, nil
}

// linkLine is a line that has its looks still to come.
type linkLine charts.Line

// as gives the line the i-th looks.
func (l linkLine) as(i int) charts.Line {
	l.Tone, l.Dashes = charts.Category(i), charts.Dashes(i)
	return charts.Line(l)
}

// perSecondLine turns a count that only grows into how much it grew a second;
// moved is false where it never grew.
func perSecondLine(s evidence.Series, d *Document) (l linkLine, moved bool) {
	steps := d.steps()
	if s.Len() < 2 || len(steps) == 0 {
		return l, false
	}
	l = linkLine{Name: clean(s.Target), Step: true, V: growth(s, steps)}
	for _, at := range steps {
		l.X = append(l.X, d.at(at))
	}
	return l, slices.ContainsFunc(l.V, func(v float64) bool { return v > 0 })
}
