package speed

import "fmt"

// target is a ratio of one tool's figure to another's that is wanted; with no
// other, it is the figure itself.
type target struct {
	name     string
	of, to   string // tools
	figure   func(figures) float64
	want     float64
	atMost   bool // want is an upper limit
	ofCost   bool // not of the rate, which a server can limit
	unjudged bool // shown for what it tells; nothing is wanted
}

// verdict is a target with what was found.
type verdict struct {
	target
	found  spread
	rounds int // that there were; found is of those in which both tools had figures
	// A server at its limit hides how fast the tool could have been: of and to
	// say whose rate is that of the server.
	ofLimited, toLimited bool
}

func (o outcome) verdicts() []verdict {
	list := make([]verdict, len(o.targets))
	for i, t := range o.targets {
		found := o.results[t.of].known(t.figure)
		if t.to != "" {
			found = o.results[t.of].over(o.results[t.to], t.figure)
		}
		list[i] = verdict{
			target: t, found: found, rounds: len(o.results[t.of]),
			ofLimited: !t.ofCost && o.limited(t.of), toLimited: !t.ofCost && o.limited(t.to),
		}
	}
	return list
}

// mark says whether the target is reached by the median: ✓ and ✗ where that is
// known, ? where half of the rounds or more gave no ratio, ≈ where the server's
// limit leaves it open, and a blank where nothing is wanted.
//
// A tool at the server's limit could be faster than it was. Where that is the
// other tool, the ratio is the most that it can be; where it is the one that is
// judged, the least; where it is both, either. So a ratio that is high enough
// proves nothing while it may be too high, and one that is too low proves
// nothing while it may be too low:
//
//	at the limit   ratio ≥ wanted   below       ratio ≤ wanted   above
//	neither        ✓                ✗           ✓                ✗
//	to             ≈                ✗           ✓                ≈
//	of             ✓                ≈           ≈                ✗
//	both           ≈                ≈           ≈                ≈
func (v verdict) mark() string {
	high := v.found.Median > v.want || v.found.Median == v.want && !v.atMost
	switch {
	case v.unjudged:
		return " "
	case 2*v.found.N <= v.rounds || v.found.N == 0:
		return "?"
	case high && v.toLimited, !high && v.ofLimited:
		return "≈"
	case high != v.atMost:
		return "✓"
	}
	return "✗"
}

// atLimit says whose rate was that of the server.
func (v verdict) atLimit() string {
	switch {
	case v.ofLimited && v.toLimited:
		return "both"
	case v.toLimited:
		return v.to
	}
	return v.of
}

// limit is what was wanted.
func (v verdict) limit() string {
	switch {
	case v.unjudged:
		return "–"
	case v.atMost:
		return fmt.Sprintf("≤ %.2f", v.want)
	}
	return fmt.Sprintf("≥ %.2f", v.want)
}

// ratio is what was found, with the rounds that it is of where not all gave one.
func (v verdict) ratio() string {
	switch {
	case v.found.N == 0:
		return "no figures"
	case v.found.N < v.rounds:
		return fmt.Sprintf("%s, %d of %d rounds", text(v.found, 2), v.found.N, v.rounds)
	}
	return text(v.found, 2)
}
