// Package reports shows a run to people and to other programs. Every renderer
// works from the run directory and the judgement alone, in whatever state the
// run was left: finished, interrupted, killed, or with nothing measured.
package reports

import (
	"fmt"
	"io"
	"strings"
)

// Renderer writes one report of a run. An error says what could not be read or
// written; a report that was begun is then incomplete.
type Renderer func(w io.Writer, d *Document) error

// Format is one form that a report takes.
type Format struct {
	Name string
	File string // what it is called in a run directory; "" for those that are not kept there

	whole Renderer                 // shows the run as a whole
	part  func(Selection) Renderer // or those of its loads and phases that are asked for
}

// formats are all forms, in the order to show them in.
func formats() []Format {
	return []Format{
		{Name: "terminal", whole: Terminal(false)},
		{Name: "html", File: "report.html", whole: HTML},
		{Name: "json", File: "report.json", whole: JSON},
		{Name: "junit", File: "junit.xml", whole: JUnit},
		{Name: "markdown", File: "summary.md", whole: Markdown},
		{Name: "csv", part: CSV},
		{Name: "prometheus", part: Prometheus},
		{Name: "benchfmt", part: Benchfmt},
		{Name: "vegeta", part: Vegeta},
		{Name: "hgrm", part: HGRM},
		{Name: "hlog", part: HLog},
	}
}

// Formats names the formats that ByName knows, in the order to show them in.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.Name)
	}
	return names
}

// ByName finds a format.
func ByName(name string) (Format, error) {
	for _, f := range formats() {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q: want %s", name, strings.Join(Formats(), ", "))
}

// Of gives the renderer of what is selected. Formats for people show the whole
// run, and so do junit and json: for those it is an error to select.
func (f Format) Of(s Selection) (Renderer, error) {
	switch {
	case f.part != nil:
		return f.part(s), nil
	case !s.all():
		return nil, fmt.Errorf("the %s report is of the whole run: a load or a phase can be chosen for %s", f.Name, strings.Join(selective(), ", "))
	}
	return f.whole, nil
}

// selective names the formats that a load or a phase can be chosen for.
func selective() []string {
	var names []string
	for _, f := range formats() {
		if f.part != nil {
			names = append(names, f.Name)
		}
	}
	return names
}
