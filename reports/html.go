package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"sort"
	"strings"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

//go:embed report.html.tmpl
var pageSource string

//go:embed report.css
var pageStyle string

// scenarioShown is how much of a scenario's source the page carries.
const scenarioShown = 64 << 10

// HTML writes report.html: one file that needs nothing else, neither network
// nor script.
func HTML(w io.Writer, d *Document) error {
	p := page{Document: d, Style: template.CSS(pageStyle), NotAsPlanned: d.outcome(), Headline: upperFirst(headline(d.Judgement))}
	var err error
	if p.Overview, p.LoadCharts, err = pageCharts(d.run, d); err != nil {
		return err
	}
	if p.Generating, err = generatorFigures(d, window(d)); err != nil {
		return err
	}
	p.Source = shownSource(d.source)
	t, err := template.New("report").Funcs(pageFuncs(d)).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	var b bytes.Buffer // so that no half page is left behind
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("render the page: %w", err)
	}
	_, err = b.WriteTo(w)
	return err
}

// page is what the template is given.
type page struct {
	*Document
	Style        template.CSS
	NotAsPlanned string
	Headline     string
	Overview     []figure // charts of the run as a whole
	LoadCharts   []loadFigures
	Generating   []figure // charts of the generator
	Source       string
}

// Took is how long the timeline went on.
func (p page) Took() time.Duration { return p.Run.End - p.Run.Start }

// Calls counts the calls of all loads, warmup included.
func (p page) Calls() (n int64) {
	for _, l := range p.Loads {
		for _, f := range l.Phases {
			n += f.Calls
		}
	}
	return n
}

// Held is the status of rules that hold.
func (p page) Held() verdict.Status { return verdict.Pass }

// verdictList is a list of verdicts under a title.
type verdictList struct {
	Title string
	List  []verdict.Verdict
}

// figureRow is a load's figures under a name.
type figureRow struct {
	Name          string
	F             Figures
	Total, Closed bool
}

// messageRow is the row of the messages of a load's calls.
func messageRow(f Figures) figureRow {
	m := messageFigures(f)
	return figureRow{Name: "messages", F: m, Closed: m.Lag.Max == nil || *m.Lag.Max == 0}
}

// told is a percentile, or how many of the values that it needs lie beyond it.
func told(v *time.Duration, beyond, n int64) template.HTML {
	if v != nil || n == 0 {
		return template.HTML(optional(v))
	}
	return template.HTML(fmt.Sprintf(`%s <span class="soft small">%d of %d</span>`, missing, beyond, needed))
}

// figure is one chart with its caption.
type figure struct {
	Title, Note string
	Keys        []string // what its colours mean, by name; each has a class in the style sheet
	SVG         template.HTML
}

// loadFigures are the charts of one load.
type loadFigures struct {
	Load      Load
	OverTime  []figure
	Quantiles []figure
}

func shownSource(b []byte) string {
	if len(b) > scenarioShown {
		b = append(b[:scenarioShown:scenarioShown], "\n… (cut here; the whole is in scenario.yaml)"...)
	}
	lines := strings.Split(string(b), "\n")
	for i := range lines {
		lines[i] = clean(strings.ReplaceAll(lines[i], "\t", "    "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// pageFuncs are what the template says figures with.
func pageFuncs(d *Document) template.FuncMap {
	return template.FuncMap{
		"symbol": symbol, "inWords": inWords, "measured": measuredFigure, "word": word, "clean": clean, "optional": optional,
		"thousands": thousands, "perSecond": perSecond, "span": span, "duration": duration, "plain": plain, "size": size,
		"percent": percent, "offset": func(at time.Duration) string { return offset(at - d.Run.Start) },
		"model":       func(l Load) string { return clean(l.model()) },
		"total":       func(l Load) bool { return l.judged() > 1 },
		"closedMeans": func() string { return closedMeans },
		"classWords":  classWords,
		"touched":     func(f Fault) string { return f.touchedWords() },
		"on":          func(f Fault) string { return clean(f.on()) },
		"healed": func(f Fault) string {
			if f.Healed == nil {
				return missing
			}
			return duration(*f.Healed - f.Injected)
		},
		"newWhy": func(said, why string) string {
			if strings.Contains(said, why) {
				return ""
			}
			return why
		},
		"told":       told,
		"generator":  func(g *Generator) string { return g.words() },
		"messages":   messageRow,
		"unanswered": unansweredWords,
		"margin":     marginBar,
		"sorted":     sortedPairs,
		"join":       func(s []string) string { return clean(strings.Join(s, ", ")) },
		"problems":   problems,
		"passed":     func(v []verdict.Verdict) int { return len(v) - len(problems(v)) },
		"plural":     plural,
		"list":       func(title string, l []verdict.Verdict) verdictList { return verdictList{title, l} },
		"row":        func(name string, f Figures, total, closed bool) figureRow { return figureRow{name, f, total, closed} },
		"wall":       func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
		"eventText": func(e evidence.Event) string {
			return clean(eventText(e))
		},
		"output":    output,
		"eventOn":   func(e evidence.Event) string { return clean(eventOn(e)) },
		"eventKind": func(e evidence.Event) string { return strings.ReplaceAll(clean(string(e.Kind)), "-", " ") },
		"short": func(s string) string {
			if len(s) > 12 {
				s = s[:12]
			}
			return clean(s)
		},
	}
}

// bar is a margin as a picture: how far the measured value is from its limit.
type bar struct {
	Over bool    // beyond the limit
	Half float64 // how much of the whole bar it takes, at most 50 (percent)
}

// marginBar gives the bar of a margin, or nil where there is none to draw.
func marginBar(margin string) *bar {
	share, ok := marginShare(margin)
	if !ok {
		return nil
	}
	return &bar{Over: share < 0, Half: math.Round(min(1, math.Abs(share)) * 50)}
}

type pair struct{ Key, Value string }

func sortedPairs(m map[string]string) []pair {
	out := make([]pair, 0, len(m))
	for k, v := range m {
		out = append(out, pair{clean(k), clean(v)})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// eventOn is what an event is about.
func eventOn(e evidence.Event) string {
	if e.Object != nil {
		return e.Object.Kind + " " + e.Object.Name
	}
	for _, s := range []string{e.Link, e.Target, e.Load, e.Phase} {
		if s != "" {
			return s
		}
	}
	return ""
}

// eventText is what an event says beyond its kind.
func eventText(e evidence.Event) string {
	var parts []string
	if e.Fault != "" {
		parts = append(parts, e.Fault)
	}
	if e.Kind == evidence.HealthChecked {
		if e.OK {
			parts = append(parts, "healthy")
		} else {
			parts = append(parts, "not healthy")
		}
	}
	if e.Kind == evidence.TargetExit && e.Expected {
		parts = append(parts, "by the harness")
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n"); first != "" {
		parts = append(parts, first)
	}
	if e.Touched != nil {
		parts = append(parts, "touched "+Fault{Fault: e.Fault, Link: e.Link, Touched: e.Touched}.touchedWords())
	}
	return strings.Join(parts, "; ")
}

// outputShown is how many lines of an event's text the page carries.
const outputShown = 30

// output is what an event says after its first line: the last that a target
// wrote before it ended.
func output(e evidence.Event) string {
	_, rest, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
	if rest == "" {
		return ""
	}
	lines := strings.Split(rest, "\n")
	if n := len(lines) - outputShown; n > 0 {
		lines = append([]string{fmt.Sprintf("… (%d lines before, in events.jsonl)", n)}, lines[n:]...)
	}
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
