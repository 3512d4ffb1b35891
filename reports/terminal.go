package reports

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"ordeal/runner/verdict"
)

// terminalWidth is what every line of the terminal report fits into.
const terminalWidth = 80

// Terminal writes the end of a run for a person at a terminal, in at most 80
// columns: the verdicts first. With color, statuses are also coloured.
func Terminal(color bool) Renderer {
	return func(w io.Writer, d *Document) error {
		t := terminal{color: color}
		t.verdicts(d)
		t.faults(d)
		t.cluster(d)
		t.loads(d)
		t.end(d, d.run.Dir)
		_, err := io.WriteString(w, t.String())
		return err
	}
}

type terminal struct {
	strings.Builder
	color bool
}

// paint colours text by a status.
func (t *terminal) paint(s verdict.Status) func(string) string {
	if !t.color {
		return nil
	}
	code := map[verdict.Status]string{verdict.Pass: "32", verdict.Inconclusive: "33", verdict.Fail: "31"}[s]
	return func(text string) string { return "\x1b[1;" + code + "m" + text + "\x1b[0m" }
}

// text writes a paragraph.
func (t *terminal) text(indent int, s string) {
	for _, l := range wrap(clean(s), terminalWidth-indent) {
		t.WriteString(strings.Repeat(" ", indent) + l + "\n")
	}
}

func (t *terminal) verdicts(d *Document) {
	status := symbol(d.Judgement.Status) + " " + word(d.Judgement.Status)
	if p := t.paint(d.Judgement.Status); p != nil {
		status = p(status)
	}
	name := cut(clean(d.Run.Scenario), terminalWidth-20)
	t.WriteString("\n" + status + "  " + name + "\n")
	t.text(0, headline(d.Judgement))
	if o := d.outcome(); o != "" {
		t.text(0, o)
	}
	if len(d.Judgement.Checks) > 0 {
		t.WriteString("\n")
		t.checks(d.Judgement.Checks)
	}
	if bad := problems(d.Judgement.Validity); len(bad) > 0 {
		t.WriteString("\nThe run itself:\n")
		t.checks(bad)
	}
}

func (t *terminal) checks(vs []verdict.Verdict) {
	columns := []column{{}, {title: "expectation"}, {title: "measured", right: true, max: 16}, {title: "limit", right: true, max: 14}, {title: "margin", right: true, max: 8}}
	var rows []row
	for _, v := range vs {
		r := row{
			cells: []string{symbol(v.Status) + " " + word(v.Status), clean(v.Name), measuredFigure(v), clean(v.Limit), clean(v.Margin)},
			paint: t.paint(v.Status),
		}
		if inWords(v) {
			r.notes = append(r.notes, clean(v.Measured))
		}
		if v.Why != "" && v.Status != verdict.Pass {
			r.notes = append(r.notes, clean(v.Why))
		}
		r.notes = append(r.notes, openParts(v)...)
		rows = append(rows, r)
	}
	table(&t.Builder, terminalWidth, columns, 1, rows)
}

func (t *terminal) faults(d *Document) {
	for i, f := range d.Faults {
		if i == 0 {
			t.WriteString("\n")
		}
		until := "not healed"
		if f.Healed != nil {
			until = "healed after " + duration(*f.Healed-f.Injected)
		}
		line := fmt.Sprintf("fault in %s: %s, %s; touched %s", f.Phase, f.Fault, until, f.touchedWords())
		if f.Error != "" {
			line += "; " + f.Error
		}
		t.text(0, line)
	}
}

func (t *terminal) cluster(d *Document) {
	for i, line := range d.clusterWords() {
		if i == 0 {
			t.WriteString("\n")
		}
		t.text(0, line)
	}
}

func (t *terminal) loads(d *Document) {
	columns := []column{{title: "phase", min: 10}, {title: "calls", right: true, min: 7}, {title: "rate", right: true, min: 7}, {title: "p50", right: true, min: 6},
		{title: "p90", right: true, min: 6}, {title: "p99", right: true, min: 6}, {title: "max", right: true, min: 6}, {title: "errors", right: true}}
	for _, l := range d.Loads {
		t.WriteString("\n")
		t.text(0, fmt.Sprintf("%s: %s (%s)", l.Name, l.Call, l.model()))
		var rows []row
		for _, f := range l.Phases {
			r := row{cells: []string{cut(clean(f.Phase), 18), thousands(f.Calls), perSecond(f.Rate), optional(f.Response.P50),
				optional(f.Response.P90), optional(f.Response.P99), optional(f.Response.Max), thousands(f.Errors)}}
			if f.Planned > f.Calls {
				r.notes = append(r.notes, fmt.Sprintf("%s of %s planned calls were not sent", thousands(f.Planned-f.Calls), thousands(f.Planned)))
			}
			if c := classWords(f); c != "" {
				r.notes = append(r.notes, c)
			}
			rows = append(rows, r)
			if f.Messages != nil {
				m := messageFigures(f)
				r := row{cells: []string{"  messages", thousands(m.Calls), perSecond(m.Rate), optional(m.Response.P50),
					optional(m.Response.P90), optional(m.Response.P99), optional(m.Response.Max), ""}}
				if u := unansweredWords(f); u != "" {
					r.notes = append(r.notes, u)
				}
				rows = append(rows, r)
			}
		}
		if len(rows) == 0 {
			t.text(2, "no phase was begun")
			continue
		}
		table(&t.Builder, terminalWidth, columns, 0, rows)
		for _, s := range []string{l.sentWords(), l.untoldWords(), l.messageWords()} {
			if s != "" {
				t.text(0, s)
			}
		}
	}
}

func (t *terminal) end(d *Document, dir string) {
	if d.Generator != nil {
		t.WriteString("\n")
		t.text(0, "generator: "+d.Generator.words())
	}
	if len(d.Warnings) > 0 {
		t.WriteString("\n")
		for _, w := range d.Warnings {
			t.text(0, "warning: "+w)
		}
	}
	// The path is not broken into lines, so that it can be copied.
	t.WriteString("\nreport: " + clean(filepath.Join(dir, "report.html")) + "\n")
}
