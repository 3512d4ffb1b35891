// Package reports shows a run to people and to other programs. Every renderer
// works from the run directory and the judgement alone, in whatever state the
// run was left: finished, interrupted, killed, or with nothing measured.
package reports

import (
	"io"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// Renderer writes one report of a run. An error says what could not be read or
// written; a report that was begun is then incomplete.
type Renderer func(w io.Writer, run *evidence.Run, j verdict.Judgement) error

// Formats names the formats that ByName knows, in the order to show them in.
func Formats() []string { return []string{"terminal", "html", "json", "junit", "markdown"} }

// ByName finds the renderer of a format and the name its file has in a run
// directory; the name is empty for the terminal's.
func ByName(format string) (r Renderer, filename string, ok bool) {
	switch format {
	case "terminal":
		return Terminal(false), "", true
	case "html":
		return HTML, "report.html", true
	case "json":
		return JSON, "report.json", true
	case "junit":
		return JUnit, "junit.xml", true
	case "markdown":
		return Markdown, "summary.md", true
	}
	return nil, "", false
}
