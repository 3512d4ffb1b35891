package reports

import (
	"fmt"
	"slices"
	"strings"

	"ordeal/runner/evidence"
)

// Selection names the loads and phases that a report of figures or calls is to
// speak of. Without loads it is all of them; without phases it is all but
// warmup, as in every judgement.
type Selection struct {
	Loads  []string
	Phases []string
}

func (s Selection) all() bool { return len(s.Loads) == 0 && len(s.Phases) == 0 }

// SelectionError tells of a selection that the run, or the format, does not
// have, and of the choice that there is.
type SelectionError struct{ text string }

func (e *SelectionError) Error() string { return e.text }

func choice(format string, args ...any) error { return &SelectionError{fmt.Sprintf(format, args...)} }

// selected is a part of a run: loads with those of their phases that count.
type selected struct {
	loads  []chosenLoad
	phases []string // as asked for; none: all but warmup
}

type chosenLoad struct {
	index int // in Document.Loads and Meta.Loads
	Load      // with only the phases that were chosen
}

// in finds in a run what is selected.
func (s Selection) in(d *Document) (selected, error) {
	out := selected{phases: s.Phases}
	var loads, phases []string
	for _, l := range d.Loads {
		loads = append(loads, l.Name)
	}
	for _, p := range d.Phases {
		phases = append(phases, p.Name)
	}
	for _, name := range s.Loads {
		if !slices.Contains(loads, name) {
			return out, choice("the run has no load %q: it has %s", clean(name), names(loads))
		}
	}
	for _, name := range s.Phases {
		if !slices.Contains(phases, name) {
			return out, choice("the run has no phase %q: it has %s", clean(name), names(phases))
		}
	}
	for i, l := range d.Loads {
		if len(s.Loads) > 0 && !slices.Contains(s.Loads, l.Name) {
			continue
		}
		seen := make(map[string]bool) // a name stands for all phases of that name
		l.Phases = slices.DeleteFunc(slices.Clone(l.Phases), func(f Figures) bool {
			again := seen[f.Phase]
			seen[f.Phase] = true
			return again || !s.counts(f)
		})
		out.loads = append(out.loads, chosenLoad{i, l})
	}
	return out, nil
}

func (s Selection) counts(f Figures) bool {
	if len(s.Phases) > 0 {
		return slices.Contains(s.Phases, f.Phase)
	}
	return !f.Warmup
}

// one is the only load of a selection, for formats that hold no more.
func (s selected) one(format string) (chosenLoad, error) {
	all := s.loadNames()
	switch len(all) {
	case 0:
		return chosenLoad{}, choice("the run has no load, so there is nothing to write as %s", format)
	case 1:
		return s.loads[0], nil
	}
	return chosenLoad{}, choice("%s holds one load: choose one with --load: %s", format, names(all))
}

func (s selected) loadNames() []string {
	var all []string
	for _, l := range s.loads {
		all = append(all, l.Name)
	}
	return all
}

// over joins the statistics of the phases that were chosen.
func (s selected) over(l *evidence.LoadSummary) *evidence.Stats { return l.Over(s.phases...) }

// words names the phases: "steady, outage", or "all phases but warmup".
func (s selected) words() string {
	if len(s.phases) == 0 {
		return "all phases but warmup"
	}
	return names(s.phases)
}

func names(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	cleaned := make([]string, len(all))
	for i, n := range all {
		cleaned[i] = clean(n)
	}
	return strings.Join(cleaned, ", ")
}

// token makes a name fit where neither spaces nor marks of a format may stand:
// letters, digits and -._=:+% are kept, all else becomes an underscore.
func token(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-._=:+%", r):
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
	if out == "" {
		return "_"
	}
	return out
}
