package verdict

import (
	"fmt"
	"math"
	"strings"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// outlook is the range of replicas that the autoscaler may decide on at a time.
type outlook struct {
	low, top int32
	known    bool // the metrics about that time were recorded
	blind    bool // they were missing
}

func (o outlook) covers(n int32) bool { return o.low <= n && n <= o.top }

func (o outlook) String() string {
	switch {
	case o.blind:
		return "no metric was valid"
	case o.low == o.top:
		return fmt.Sprintf("it must be %d", o.low)
	}
	return fmt.Sprintf("it must be %d to %d", o.low, o.top)
}

// outlook finds what may become of a number of replicas at a time: what the
// metrics asked for within a synchronisation of it, the windows, the policies and
// the bounds. What is not known widens the range.
func (s *scaling) outlook(at time.Duration, from int32) outlook {
	spec := s.spec(at)
	switch {
	case from == 0:
		return outlook{0, 0, true, false}
	case from > spec.Max:
		return outlook{spec.Max, spec.Max, true, false}
	case from < spec.Min:
		return outlook{spec.Min, spec.Min, true, false}
	}
	o := outlook{low: math.MaxInt32, blind: true}
	partly := false
	for _, near := range s.between(at-s.slack(), at+s.gap()+lag) {
		a, ok := s.ask(near.at, at, from)
		if !ok {
			continue
		}
		o.known = true
		partly = partly || a.partly
		if !a.blind {
			o.blind = false
			o.low, o.top = min(o.low, a.low), max(o.top, a.top)
		}
	}
	if !o.known || o.blind {
		o.low, o.top = from, from
		return o
	}
	o = s.stabilize(o, spec, at, from)
	o = s.ranged(o, spec, at, from)
	if partly {
		o.low, o.top = min(o.low, from), max(o.top, from)
	}
	return o
}

// stabilize takes the windows into account: what was asked for surely within
// them, and what may have been.
func (s *scaling) stabilize(o outlook, spec autoscaler.Spec, at time.Duration, from int32) outlook {
	up, down := time.Duration(0), s.set.DownscaleStabilization
	if spec.Behavior != nil {
		up, down = spec.Behavior.Windows(s.set)
	}
	low, top := o.low, o.top    // of the highest of the window on the way down
	under, over := o.low, o.top // of the lowest of the window on the way up
	if down > 0 {
		low, top = highestAsked(spec).within(s, down, at, low, top)
	}
	if up > 0 {
		over, under = lowestAsked(spec).within(s, up, at, over, under)
	}
	if spec.Behavior == nil {
		o.low, o.top = low, top
		return o
	}
	o.low, o.top = min(max(from, under), low), min(max(from, over), top)
	return o
}

// extreme is which of the numbers of a window counts, and how to tell it from
// what was asked for.
type extreme struct {
	of       func(a, b int32) int32
	surely   func(asked) int32 // of a moment after which a synchronisation must have been within the window
	possibly func(asked) int32 // of one that may have been
	bound    int32             // of a window that began before the first metrics
}

func highestAsked(spec autoscaler.Spec) extreme {
	return extreme{
		of:       func(a, b int32) int32 { return max(a, b) },
		surely:   func(a asked) int32 { return a.firmLow },
		possibly: func(a asked) int32 { return a.top },
		bound:    spec.Max,
	}
}

func lowestAsked(spec autoscaler.Spec) extreme {
	return extreme{
		of:       func(a, b int32) int32 { return min(a, b) },
		surely:   func(a asked) int32 { return a.firmTop },
		possibly: func(a asked) int32 { return a.low },
		bound:    spec.Min,
	}
}

// within moves both ends of the range of a time towards the extreme of the
// window before it: the one by what surely counts, the other by what may.
func (e extreme) within(s *scaling, window, at time.Duration, surely, possibly int32) (int32, int32) {
	slack := s.slack()
	for _, a := range s.between(at-window-slack, at) {
		if !a.blind {
			possibly = e.of(possibly, e.possibly(a))
		}
		if a.firm && a.at >= at-window+lag && a.at <= at-slack {
			surely = e.of(surely, e.surely(a))
		}
	}
	if at-window-slack < s.asked[0].at {
		possibly = e.of(possibly, e.bound)
	}
	return surely, possibly
}

// ranged takes the policies and the bounds into account. A change that is about
// as old as a policy's period may count or not.
func (s *scaling) ranged(o outlook, spec autoscaler.Spec, now time.Duration, from int32) outlook {
	bound := func(v int32, at time.Duration) int32 {
		least, most := s.within(spec, now, at, from)
		if v > from {
			return min(v, most)
		}
		return max(v, least)
	}
	early, late := now-lag-s.gap(), now+lag+s.gap()
	low, top := o.low, o.top
	o.low = min(bound(low, early), bound(low, late))
	o.top = max(bound(top, early), bound(top, late))
	return o
}

// within is the range of one step by the autoscaler's policies and bounds, after
// the steps until now, and as if it were another time.
func (s *scaling) within(spec autoscaler.Spec, now, at time.Duration, from int32) (least, most int32) {
	var m autoscaler.Memory
	for _, r := range s.steps {
		if r.at < now {
			m = m.Scaled(spec, autoscaler.State{At: s.wall(r.at), Wanted: r.from}, r.to)
		}
	}
	return spec.Range(autoscaler.State{At: s.wall(at), Wanted: from}, m)
}

// explained: the recomputation leads to every step, within a synchronisation and
// the age of the metrics, and nowhere asks long for a step that was not made.
func (s *scaling) explained() Part {
	p := Part{Name: "steps explained"}
	if s.unrecorded != "" {
		return p.as(Inconclusive, "%s", s.unrecorded)
	}
	valid := 0
	for _, a := range s.asked {
		if !a.blind {
			valid++
		}
	}
	if valid == 0 {
		return p.as(Inconclusive, "its metrics were missing all the time, so there is nothing to compare it with")
	}
	var dark []string
	explained := 0
	for _, r := range s.steps {
		if r.at < s.asked[0].at+s.slack() || s.onPurpose(r) || s.hindered("controllers->", r.at) {
			continue // what it saw is not what was recorded
		}
		switch o := s.outlook(r.at, r.from); {
		case !o.known:
			dark = append(dark, r.String())
		case !o.covers(r.to):
			p.Measured = r.String()
			return p.as(Fail, "it went %s, where by the recorded metrics %s", r, o)
		default:
			explained++
		}
	}
	if why := s.stuck(); why != "" {
		return p.as(Fail, "%s", why)
	}
	p.Measured = several(explained, "step")
	if len(dark) > 0 {
		return p.as(Inconclusive, "no metrics were recorded near the step %s", strings.Join(dark, ", "))
	}
	if why := s.gaps(); why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	return p
}

// patience is how long a step that is due may be late: two synchronisations, and
// what a busy machine adds.
func (s *scaling) patience() time.Duration { return 2*s.sync + s.gap() + 2*time.Second }

// stuck looks for a stretch in which a step was due and none was made, but not
// while a fault kept the autoscaler from its work.
func (s *scaling) stuck() string {
	since := time.Duration(-1)
	for _, a := range s.asked {
		now := s.count(a.at).wanted
		o := s.outlook(a.at, now)
		if a.at < s.asked[0].at+s.slack() || !o.known || o.covers(now) || s.hindered("", a.at) {
			since = -1
			continue
		}
		if since < 0 || len(s.stepsIn(since, a.at)) > 0 {
			since = a.at
		}
		if a.at-since > s.patience() {
			return fmt.Sprintf("it stayed at %d from %s to %s, where by the recorded metrics %s", now, formatDuration(since), formatDuration(a.at), o)
		}
	}
	return ""
}

// hindered reports whether a fault acted on a link of the control plane at a time,
// or did shortly before: its clients wait longer and longer until they try again.
func (s *scaling) hindered(from string, at time.Duration) bool {
	const rest = 10 * time.Second
	for _, f := range s.run.Faults() {
		if !strings.Contains(f.Link, cluster) || !strings.HasPrefix(f.Link, from) || !f.WasInjected {
			continue
		}
		if at >= f.Injected && (!f.WasHealed || at <= f.Healed+rest+s.patience()) {
			return true
		}
	}
	return false
}

// gaps looks for a stretch of which no metrics were recorded.
func (s *scaling) gaps() string {
	most := 10*s.gap() + 2*s.sync
	for i := range max(0, len(s.asked)-1) {
		if from, to := s.asked[i].at, s.asked[i+1].at; to-from > most {
			return fmt.Sprintf("no metrics were recorded from %s to %s", formatDuration(from), formatDuration(to))
		}
	}
	if last := s.asked[len(s.asked)-1].at; s.until-last > most {
		return fmt.Sprintf("no metrics were recorded from %s on", formatDuration(last))
	}
	return ""
}
