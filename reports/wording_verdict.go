package reports

import (
	"fmt"
	"strconv"
	"strings"

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

// measuredFigure is the measured value as a column of figures shows it: a dash
// where there is a limit and nothing to hold against it, and nothing for what
// is told in words.
func measuredFigure(v verdict.Verdict) string {
	switch {
	case inWords(v):
		return ""
	case v.Measured == "" && v.Limit != "":
		return missing
	}
	return clean(v.Measured)
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
