package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// symbol and word of a status always stand together: neither colour nor a
// symbol alone says how it went.
func symbol(s verdict.Status) string {
	switch s {
	case verdict.Pass:
		return "✓"
	case verdict.Inconclusive:
		return "?"
	default:
		return "✗"
	}
}

func word(s verdict.Status) string { return strings.ToUpper(s.String()) }

// headline says in one line how the run came out: "4 of 5 expectations hold".
func headline(j verdict.Judgement) string {
	var n [3]int
	for _, c := range j.Checks {
		n[min(max(int(c.Status), 0), 2)]++
	}
	all := len(j.Checks)
	if all == 0 {
		return "the scenario expects nothing"
	}
	var s string
	switch n[verdict.Pass] {
	case all:
		s = fmt.Sprintf("all %d expectations hold", all)
		if all == 1 {
			s = "the expectation holds"
		}
	default:
		s = fmt.Sprintf("%d of %d expectations hold", n[verdict.Pass], all)
	}
	if n[verdict.Fail] > 0 {
		s += fmt.Sprintf(", %d failed", n[verdict.Fail])
	}
	if n[verdict.Inconclusive] > 0 {
		s += fmt.Sprintf(", %d inconclusive", n[verdict.Inconclusive])
	}
	if p := len(problems(j.Validity)); p > 0 {
		s += fmt.Sprintf("; %s with the run itself", plural(p, "problem"))
	}
	return s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// problems are the verdicts that did not pass.
func problems(vs []verdict.Verdict) []verdict.Verdict {
	var out []verdict.Verdict
	for _, v := range vs {
		if v.Status != verdict.Pass {
			out = append(out, v)
		}
	}
	return out
}

// inWords tells a measured value that is a sentence and not a figure: it has no
// place in a column of figures.
func inWords(v verdict.Verdict) bool { return letters(v.Measured) > 18 }

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
	if f.Link != "" {
		return f.Link
	}
	return f.Target
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
		noun = "process"
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

// marginShare reads a verdict's margin, "75%" or "-40%", as a share of the
// limit; ok is false where it is none.
func marginShare(margin string) (share float64, ok bool) {
	s := strings.TrimSpace(strings.ReplaceAll(margin, "−", "-"))
	s, isPercent := strings.CutSuffix(s, "%")
	if !isPercent {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || f != f {
		return 0, false
	}
	return f / 100, true
}

// classWords says how calls failed, with their codes, the most frequent first,
// and how many answers were not the real ones: "http-5xx 12 (503), timeout 3;
// 40 degraded".
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
	s := strings.Join(parts, ", ")
	if f.Degraded > 0 {
		if s != "" {
			s += "; "
		}
		s += thousands(f.Degraded) + " degraded"
	}
	return s
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

// partLine says in one line how a part of a compound check came out.
func partLine(p verdict.Part) string {
	s := symbol(p.Status) + " " + clean(p.Name) + ": " + p.Status.String()
	if p.Measured != "" {
		s += ", " + clean(p.Measured)
	}
	if p.Limit != "" {
		s += " (limit " + clean(p.Limit) + ")"
	}
	if p.Why != "" {
		s += ": " + clean(p.Why)
	}
	return s
}

// openParts says how the parts of a check that did not pass came out. A reason
// is told once: not again when the verdict gave it, and in one line for the
// parts that share it.
func openParts(v verdict.Verdict) []string {
	var lines []string
	told := make(map[verdict.Part]bool)
	for i, p := range v.Parts {
		if p.Status == verdict.Pass {
			continue
		}
		if p.Why == "" || strings.Contains(v.Why, p.Why) {
			p.Why = ""
			lines = append(lines, partLine(p))
			continue
		}
		reason := verdict.Part{Status: p.Status, Why: p.Why}
		if told[reason] {
			continue
		}
		told[reason] = true
		var names []string
		for _, q := range v.Parts[i:] {
			if q.Status == p.Status && q.Why == p.Why {
				names = append(names, q.Name)
			}
		}
		if len(names) > 1 {
			p = verdict.Part{Name: strings.Join(names, ", "), Status: p.Status, Why: p.Why}
		}
		lines = append(lines, partLine(p))
	}
	return lines
}
