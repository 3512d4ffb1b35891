package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
)

// Target says what must have become of a target's processes.
type Target struct {
	Target   string      `yaml:"target" ref:"target" required:"true" doc:"the target that is judged, with all its replicas"`
	Alive    *bool       `yaml:"alive" doc:"true: no process ended on its own, and all are there at the end of the timeline; false: one did, or is not"`
	Restarts *CountLimit `yaml:"restarts" doc:"limit on how often its processes were started again, added up over the replicas; of a Service, how often containers of its Pods were"`
}

// Validate reports what is wrong with the expectation.
func (t *Target) Validate(bad func(field, format string, args ...any)) {
	if t.Alive == nil && t.Restarts == nil {
		bad("", `nothing to judge: want alive: true, or restarts: "= 1", or both`)
	}
}

// String is the expectation in one line.
func (t *Target) String() string {
	var parts []string
	if t.Alive != nil {
		parts = append(parts, map[bool]string{true: "stays alive", false: "does not stay alive"}[*t.Alive])
	}
	if t.Restarts != nil {
		parts = append(parts, "restarts "+t.Restarts.String())
	}
	return fmt.Sprintf("%s %s", t.Target, strings.Join(parts, ", "))
}

// A process that died is a fact, whatever the load was.
func (t *Target) rests(*evidence.Run) basis { return basis{firm: true} }

// Judge follows the target's processes through the events of the run.
func (t *Target) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "target", Name: t.String(), Target: t.Target}
	life := follow(run, t.Target)
	if !life.seen {
		return v.unknown("no event of the run speaks of %s", t.Target)
	}
	var parts []Part
	if t.Alive != nil {
		parts = append(parts, life.alive(run, *t.Alive))
	}
	if t.Restarts != nil {
		parts = append(parts, life.restarted(run, t.Restarts.limit))
	}
	v = v.compose(parts)
	if len(parts) == 1 {
		v.Measured, v.Limit, v.Why, v.Parts = parts[0].Measured, parts[0].Limit, parts[0].Why, nil
	}
	return v
}

// life is what became of the processes of one target.
type life struct {
	seen     bool
	managed  bool            // it was started by the harness
	gone     map[string]bool // replicas that were not running when the timeline ended
	starts   int
	replicas map[string]bool
	died     string              // how the first process ended that ended on its own
	again    map[string]restarts // by Pod and container
	sick     string              // what the last look at the health of an external target saw, where that was not good
}

func follow(run *evidence.Run, target string) life {
	l := life{gone: map[string]bool{}, replicas: map[string]bool{}, again: map[string]restarts{}}
	end := run.End()
	if p := run.Phases(); len(p) > 0 {
		end = p[len(p)-1].End
	}
	for _, e := range run.Events {
		if e.Target != target && !strings.HasPrefix(e.Target, target+"/") {
			continue
		}
		switch e.Kind {
		case evidence.ObjectSeen:
			l.pod(e.Object)
		case evidence.TargetStart:
			l.seen, l.managed = true, true
			l.starts++
			l.replicas[e.Target] = true
			delete(l.gone, e.Target)
		case evidence.TargetExit:
			l.seen = true
			if !e.Expected && l.died == "" {
				l.died = fmt.Sprintf("%s ended on its own at %s: %s", e.Target, formatDuration(e.At), firstLine(e.Text))
			}
			if e.At <= end || !e.Expected {
				l.gone[e.Target] = true // what the harness ends after the timeline does not count
			}
		case evidence.HealthChecked:
			l.seen = true
			l.sick = ""
			if !e.OK {
				l.sick = fmt.Sprintf("%s was not healthy at %s: %s", e.Target, formatDuration(e.At), firstLine(e.Text))
			}
		}
	}
	return l
}

func (l life) alive(run *evidence.Run, want bool) Part {
	p := Part{Name: "alive", Limit: fmt.Sprint(want)}
	down := l.died
	if down == "" && len(l.gone) > 0 {
		down = fmt.Sprintf("%s was not running when the timeline ended", strings.Join(slices.Sorted(maps.Keys(l.gone)), ", "))
	}
	if down == "" && !l.managed {
		down = l.sick
	}
	alive := down == ""
	p.Measured = fmt.Sprint(alive)
	switch {
	case alive != want && want:
		p.Status, p.Why = Fail, down
	case alive && run.Meta.Outcome != evidence.Completed:
		p.Status, p.Measured, p.Why = Inconclusive, "", "the run did not come to its end"
	case alive != want:
		p.Status, p.Why = Fail, "no process ended on its own"
	}
	return p
}

func (l life) restarted(run *evidence.Run, limit limit) Part {
	p := Part{Name: "restarts", Limit: limit.String()}
	if !l.managed && len(l.again) == 0 {
		p.Status, p.Why = Inconclusive, "the harness did not start it, so it does not see it start again"
		return p
	}
	n := max(0, l.starts-len(l.replicas))
	for _, r := range l.again {
		n += r.last - r.first
	}
	p.Measured = strconv.Itoa(n)
	switch {
	case !limit.holds(float64(n)):
		p.Status, p.Why = Fail, fmt.Sprintf("its processes were started again: %s", times(n))
		if run.Meta.Outcome != evidence.Completed && float64(n) < limit.low {
			p.Status, p.Why = Inconclusive, "the run did not come to its end"
		}
	case run.Meta.Outcome != evidence.Completed:
		p.Status, p.Why = Inconclusive, "the run did not come to its end"
	}
	return p
}

// firstLine keeps a sentence out of many lines of output.
func firstLine(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if more {
		line += " …"
	}
	return line
}
