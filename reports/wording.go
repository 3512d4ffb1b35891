package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
)

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// outcome says how the run ended where that was not as planned, else "".
func (d *Document) outcome() string {
	switch {
	case d.Run.Killed:
		return "The harness was killed: this is what was known until then."
	case d.Run.Outcome == evidence.Interrupted:
		return "The run was interrupted: phases after that, or parts of them, are missing."
	case d.Run.Outcome == evidence.Failed && d.Run.Error != "":
		return "The harness could not go on: " + d.Run.Error
	case d.Run.Outcome == evidence.Failed:
		return "The harness could not go on."
	}
	return ""
}

// model says what a load is: "open model, 300/s, poisson arrivals".
func (l Load) model() string {
	if l.Closed() {
		return fmt.Sprintf("closed model, %s", plural(l.Workers, "client"))
	}
	s := "open model"
	if l.Shape != "" {
		s += ", " + l.Shape
	}
	if l.Arrivals != "" {
		s += ", " + l.Arrivals + " arrivals"
	}
	return s
}

// closedMeans is what a reader must know of a closed model's figures.
const closedMeans = "Closed model: each client waits for its answer before it calls again, so a slow system gets less load, " +
	"and the latencies are of the calls that were made, not of those that users would have made."

// on says what a fault acts on.
func (f Fault) on() string {
	if f.Link+f.Target != "" {
		return f.Link + f.Target // one of them
	}
	_, place, _ := strings.Cut(f.Fault, " on ")
	return place
}

// onPods are the kinds of faults that act on the Pods of a cluster.
var onPods = []string{"pod_kill", "pod_unready", "pod_stuck", "crash_loop", "drain"}

// struck is what a fault that is not on a link acts on.
func (f Fault) struck() string {
	if kind, _, _ := strings.Cut(f.Fault, " "); slices.Contains(onPods, kind) {
		return "Pod"
	}
	return "process"
}

// touchedWords says how much traffic a fault acted on.
func (f Fault) touchedWords() string {
	t := f.Touched
	switch {
	case f.Error != "" && t == nil:
		return "failed"
	case t == nil:
		return "not known"
	case !t.Any() && t.Calls == 0:
		return "nothing"
	}
	noun := "connection"
	if f.Link == "" {
		noun = f.struck()
	}
	var parts []string
	if t.Connections > 0 {
		parts = append(parts, counted(t.Connections, noun))
	}
	if t.Calls > 0 {
		parts = append(parts, counted(t.Calls, "call"))
	}
	if t.Bytes > 0 {
		parts = append(parts, size(t.Bytes))
	}
	return strings.Join(parts, ", ")
}

func counted(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return thousands(n) + " " + noun + "es"
	}
	return thousands(n) + " " + noun + "s"
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return thousands(n) + " times"
}

// classWords says how calls failed, with their codes, the most frequent first,
// how many answers were not the real ones and how many calls were sent late:
// "http-5xx 12 (503), timeout 3; 40 degraded; 7 sent over 10.0ms late".
func classWords(f Figures) string {
	type failed struct {
		name string
		n    int64
	}
	var classes []failed
	for c := range evidence.NumClasses {
		name := evidence.Class(c).String()
		if n := f.Classes[name]; n > 0 && evidence.Class(c) != evidence.OK {
			classes = append(classes, failed{name, n})
		}
	}
	slices.SortStableFunc(classes, func(a, b failed) int { return cmp.Compare(b.n, a.n) })
	var parts []string
	for _, c := range classes {
		parts = append(parts, c.name+" "+thousands(c.n)+codeWords(f.Codes, c.name))
	}
	var words []string
	if len(parts) > 0 {
		words = append(words, strings.Join(parts, ", "))
	}
	if f.Degraded > 0 {
		words = append(words, thousands(f.Degraded)+" degraded")
	}
	if f.Late > 0 {
		words = append(words, fmt.Sprintf("%s sent over %s late", thousands(f.Late), duration(evidence.LateAfter)))
	}
	return strings.Join(words, "; ")
}

// codeWords names the codes of a class: " (503)", " (503 ×12, 502 ×3)".
func codeWords(codes []CodeCount, class string) string {
	var of []CodeCount
	for _, c := range codes {
		if c.Class == class && c.Code > 0 {
			of = append(of, c)
		}
	}
	switch {
	case len(of) == 0:
		return ""
	case len(of) == 1:
		return fmt.Sprintf(" (%d)", of[0].Code)
	}
	var parts []string
	for _, c := range of[:min(len(of), 3)] {
		parts = append(parts, fmt.Sprintf("%d ×%s", c.Code, thousands(c.Calls)))
	}
	if len(of) > 3 {
		parts = append(parts, "…")
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
