package verdict

import (
	"fmt"
	"slices"
	"strings"

	"ordeal/runner/evidence"
)

// Judge judges a run, finished or not: first whether it can carry claims at
// all, then each check. A check that rests on a part of the run that cannot
// carry it is Inconclusive and says why, and so is one that panics.
func Judge(run *evidence.Run, checks []Check) Judgement {
	w := newWitness(run)
	run.Gather(seriesOf(checks))
	findings := guardedValidity(run, checks, w)
	j := Judgement{Validity: []Verdict{}, Checks: []Verdict{}}
	for _, c := range checks {
		v := qualify(judgeOne(run, c, w), basisOf(run, c), findings)
		j.Checks = append(j.Checks, v)
		j.Status = max(j.Status, v.Status)
	}
	for _, f := range findings {
		v := f.verdict
		if f.onlyIfBears && !f.bears {
			v.Status = Pass
		}
		j.Validity = append(j.Validity, v)
		j.Status = max(j.Status, v.Status)
	}
	return j
}

// judgeOne turns a panic of the check into an Inconclusive: a checker that
// crashes has not shown anything.
func judgeOne(run *evidence.Run, c Check, w *witness) (v Verdict) {
	defer func() {
		if r := recover(); r != nil {
			v = crashed(c, r)
		}
	}()
	if a, ok := c.(asking); ok {
		return a.judge(run, w)
	}
	return c.Judge(run)
}

func crashed(c Check, cause any) (v Verdict) {
	v = Verdict{Kind: fmt.Sprintf("%T", c), Status: Inconclusive, Why: fmt.Sprintf("the check crashed: %v", cause)}
	v.Name = v.Kind
	defer func() { _ = recover() }() // naming it may panic too; then its type has to do
	if s, ok := c.(fmt.Stringer); ok {
		v.Name = s.String()
	}
	return v
}

func guardedValidity(run *evidence.Run, checks []Check, w *witness) (found []finding) {
	defer func() {
		if r := recover(); r != nil {
			found = append(found, finding{
				verdict: inconclusive("validity", "the run can carry claims", fmt.Sprintf("looking at the run's validity crashed: %v", r)),
				touches: func(basis) bool { return true },
			})
		}
	}()
	return validity(run, checks, w)
}

// basis is what of a run a check rests on.
type basis struct {
	load   string // one load; anyLoad: whatever load there was; "": none
	phases Phases // whose calls and series count; empty: the whole run but its warm-up
	faults Phases // whose faults count, where those are other phases
	// ownRate is set where the check itself judges how much was offered.
	ownRate bool
	// timed is set where the check rests on how long calls took or how fast they came.
	timed bool
	// atLeast and atMost are set where it bounds a rate from that side alone.
	atLeast, atMost bool
	// firm is set where a Fail is a fact that nothing in the rest of the run can take back.
	firm bool
}

const anyLoad = "*"

// resting is a check that says what it rests on. A check that does not is
// taken to rest on everything.
type resting interface{ rests(*evidence.Run) basis }

func basisOf(run *evidence.Run, c Check) basis {
	if r, ok := c.(resting); ok {
		return r.rests(run)
	}
	return basis{load: anyLoad, timed: true}
}

// covers reports whether the check rests on a phase.
func (b basis) covers(phase evidence.Span) bool {
	if len(b.phases) == 0 {
		return !phase.Warmup
	}
	return slices.Contains(b.phases, phase.Name)
}

// concerns reports whether the check rests on the faults of a phase.
func (b basis) concerns(phase evidence.Span) bool {
	return b.covers(phase) || slices.Contains(b.faults, phase.Name)
}

// uses reports whether the check rests on a load.
func (b basis) uses(load string) bool { return b.load == anyLoad || b.load == load && load != "" }

// finding is one verdict on the run's validity, with the checks that it bears on.
type finding struct {
	verdict Verdict
	touches func(basis) bool
	// failStands: what is found can make a run look better than it is, not worse.
	failStands bool
	// spares, unless nil, tells of a check that it touches which outcome stands all the same.
	spares func(basis, Verdict) bool
	// onlyIfBears: it is a word of caution as long as no check's outcome depends on it.
	onlyIfBears bool
	bears       bool
}

// qualify takes back what the run cannot carry, and notes which findings bear on it.
func qualify(v Verdict, b basis, findings []finding) Verdict {
	for i := range findings {
		f := &findings[i]
		if f.verdict.Status == Pass || f.touches == nil || !f.touches(b) || f.spares != nil && f.spares(b, v) {
			continue
		}
		f.bears = true
		if v.Status == Pass || v.Status == Fail && !f.failStands && !b.firm {
			v.Status, v.Why = Inconclusive, f.verdict.Why
		}
	}
	return v
}

func inconclusive(kind, name, why string) Verdict {
	return Verdict{Kind: kind, Name: name, Status: Inconclusive, Why: why}
}

// unknown turns a verdict into an Inconclusive.
func (v Verdict) unknown(format string, args ...any) Verdict {
	v.Status, v.Why = Inconclusive, fmt.Sprintf(format, args...)
	return v
}

// against judges one measured value by its limit.
func (v Verdict) against(l limit, measured float64) Verdict {
	v.Measured, v.Limit, v.Margin = l.unit.format(measured), l.String(), l.margin(measured)
	v.Status = Pass
	if !l.holds(measured) {
		v.Status = Fail
	}
	return v
}

// counted judges how many of something there were, of calls or what comes of them.
func (v Verdict) counted(l limit, measured float64) Verdict {
	v = v.against(l, measured)
	v.excess = v.Status == Fail && l.exceeded(measured)
	return v
}

// failing adds why to a verdict that fails and has no reason yet.
func (v Verdict) failing(format string, args ...any) Verdict {
	if v.Status == Fail && v.Why == "" {
		v.Why = fmt.Sprintf(format, args...)
	}
	return v
}

// compose makes one verdict of its parts: the worst of them decides, the first
// such gives the reason, and the others are named.
func (v Verdict) compose(parts []Part) Verdict {
	v.Parts, v.Status = parts, Pass
	for _, p := range parts {
		v.Status = max(v.Status, p.Status)
	}
	if v.Status == Pass {
		return v
	}
	var also []string
	for _, p := range parts {
		switch {
		case p.Status != v.Status:
		case v.Why == "":
			v.Measured, v.Limit = p.Measured, p.Limit
			v.Why = p.Name
			if p.Why != "" {
				v.Why += ": " + p.Why
			}
		default:
			also = append(also, p.Name)
		}
	}
	if len(also) > 0 {
		v.Why += fmt.Sprintf(" (also %s: %s)", v.Status, strings.Join(also, ", "))
	}
	return v
}
