package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// Phases names the phases that a check speaks of: in a scenario one name, or a
// list. Empty means the whole run but its warm-up.
type Phases []string

// UnmarshalText reads one name; a list is decoded element by element.
func (p *Phases) UnmarshalText(b []byte) error {
	*p = Phases{string(b)}
	return nil
}

// String reads as the end of a sentence: "during steady and peak".
func (p Phases) String() string {
	switch n := len(p); n {
	case 0:
		return "during the whole run"
	case 1:
		return "during " + p[0]
	default:
		return "during " + strings.Join(p[:n-1], ", ") + " and " + p[n-1]
	}
}

// label is what Verdict.Phase says.
func (p Phases) label() string { return strings.Join(p, ", ") }

// names reports whether a phase is meant.
func (p Phases) names(s evidence.Span) bool { return basis{phases: p}.covers(s) }

// spans finds the phases as they really were, in the run's order. Where one was
// not reached or did not come to its end, why says so: then nothing can be
// claimed of them.
func (p Phases) spans(run *evidence.Run) (found []evidence.Span, why string) {
	if neverBegan(run) {
		return nil, "the run ended before its timeline began"
	}
	for _, name := range p {
		if _, ok := run.Phase(name); !ok {
			return nil, fmt.Sprintf("phase %s was not reached", name)
		}
	}
	if len(p) == 0 {
		for _, m := range run.Meta.Phases {
			if _, ok := run.Phase(m.Name); !ok && !m.Warmup {
				return nil, fmt.Sprintf("the run ended before phase %s", m.Name)
			}
		}
	}
	for _, s := range run.Phases() {
		if !p.names(s) {
			continue
		}
		if !s.Complete {
			return nil, fmt.Sprintf("phase %s was cut short", s.Name)
		}
		found = append(found, s)
	}
	if len(found) == 0 {
		return nil, "the run has no phase to judge"
	}
	return found, ""
}

// neverBegan reports whether the run ended before its first phase. Where no event
// tells of a phase, those that were planned stand in for what was lost; but
// events that tell of the end have lost none.
func neverBegan(run *evidence.Run) bool {
	is := func(kinds ...evidence.Kind) bool {
		return slices.ContainsFunc(run.Events, func(e evidence.Event) bool { return slices.Contains(kinds, e.Kind) })
	}
	cut := run.Meta.Outcome == evidence.Failed || run.Meta.Outcome == evidence.Interrupted
	return cut && is(evidence.RunEnd) && !is(evidence.PhaseStart, evidence.LoadStart)
}

// took adds up how long phases lasted.
func took(spans []evidence.Span) time.Duration {
	var d time.Duration
	for _, s := range spans {
		d += s.Took()
	}
	return d
}

// stats finds what is known of a load in the phases.
func (p Phases) stats(run *evidence.Run, load string) (l *evidence.LoadSummary, s *evidence.Stats, why string) {
	if _, why = p.spans(run); why != "" {
		return nil, nil, why
	}
	summary, err := run.Summary()
	if err != nil {
		return nil, nil, fmt.Sprintf("the samples cannot be read: %v", err)
	}
	if l = summary.Load(load); l == nil {
		return nil, nil, fmt.Sprintf("the run has no load %s", load)
	}
	if s = l.Over(p...); s == nil {
		return nil, nil, noCall(load, p)
	}
	return l, s, ""
}

// calls finds the calls of a load in the phases.
func (p Phases) calls(run *evidence.Run, load string) (l *evidence.LoadSummary, s *evidence.Stats, why string) {
	if l, s, why = p.stats(run, load); why == "" && s.Calls == 0 {
		why = noCall(load, p)
	}
	if why != "" {
		return nil, nil, why
	}
	return l, s, ""
}

func noCall(load string, p Phases) string { return fmt.Sprintf("there is no call of %s %s", load, p) }

// eachCall visits the calls of a load that a query asks for. They are only valid
// during the visit.
func eachCall(run *evidence.Run, load string, q evidence.Query, visit func(*evidence.Sample)) error {
	index := slices.IndexFunc(run.Meta.Loads, func(m evidence.LoadMeta) bool { return m.Name == load })
	q.Fields |= evidence.WithLoad
	for calls, err := range run.Scan(q) {
		if err != nil {
			return fmt.Errorf("reading samples: %w", err)
		}
		for i := range calls {
			if calls[i].Load == index {
				visit(&calls[i])
			}
		}
	}
	return nil
}

// closedNote says of a load without intended times what that means.
func closedNote(run *evidence.Run, load string) string {
	for _, m := range run.Meta.Loads {
		if m.Name == load && m.Model == "closed" {
			return " (closed model)"
		}
	}
	return ""
}
