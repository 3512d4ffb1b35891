package scenarios

import (
	"slices"
	"time"

	"ordeal/runner/verdict"
	"ordeal/targets"
)

// expectations checks that each expectation can be met or missed at all: that
// the phases it speaks of can show what it asks for.
func (c *checker) expectations() {
	for _, e := range c.Expects {
		switch {
		case e.Latency != nil:
			c.latency(e.Latency)
		case e.Rate != nil:
			c.rate(e.Rate)
		case e.Recovery != nil:
			c.recovery(e.Recovery)
		case e.Arrivals != nil:
			c.metrics(e.Arrivals, e.Arrivals.Target)
		case e.Metric != nil:
			c.metrics(e.Metric, e.Metric.Target)
		case e.Target != nil:
			c.target(e.Target)
		case e.Breaker != nil:
			c.breaker(e.Breaker)
		case e.Rollout != nil:
			c.rollout(e.Rollout)
		case e.HPA != nil:
			c.hpa(e.HPA)
		}
	}
}

// target checks that somebody sees what becomes of the target's processes.
func (c *checker) target(expect *verdict.Target) {
	t := c.Target(expect.Target)
	switch {
	case t.Kind() == targets.KindService && expect.Alive != nil:
		c.bad(expect, "alive", "want restarts alone", "%s is a service: its Pods come and go", t.Name)
	case t.Kind() == targets.KindExternal:
		c.bad(expect, "target", "want a target that Ordeal starts", "%s runs already: its processes are not watched", t.Name)
	}
}

// latency checks that a load whose messages are judged can have any.
func (c *checker) latency(l *verdict.Latency) {
	if load := c.Load(l.Load); l.Of == "messages" && load != nil && load.GRPC == nil {
		c.bad(l, "of", "want response or service", "%s makes no streaming calls: only those of gRPC have messages", load.Name)
	}
}

// rate checks that a load has a plan to compare with.
func (c *checker) rate(r *verdict.Rate) {
	if l := c.Load(r.Load); l.Closed() && r.Attained != nil {
		c.bad(r, "attained", "want per_second or succeeded", "%s is a closed model: its calls are not planned", l.Name)
	}
}

// metrics checks that a target shows metrics.
func (c *checker) metrics(check any, name string) {
	t := c.Target(name)
	if t != nil && t.Kind() != targets.KindReference && t.Kind() != targets.KindService && t.Metrics == "" {
		c.bad(check, "target", "say where they are by its metrics: /metrics", "%s has no metrics that could be scraped", name)
	}
}

// recovery checks that there is a fault to recover from, a steady level before
// it, and time after it.
func (c *checker) recovery(r *verdict.Recovery) {
	fault := c.faultPhase(r.After)
	if fault < 0 {
		if r.After == "" {
			c.bad(r, "", "want a phase with faults", "no phase has a fault to recover from")
		} else {
			c.bad(r, "after", "want "+oneOf(c.faultPhases()), "phase %s has no fault to recover from", r.After)
		}
		return
	}
	before := c.Phases[:fault]
	steady := slices.IndexFunc(before, func(ph Phase) bool {
		return len(ph.Faults) == 0 && (ph.Name == r.Steady || r.Steady == "" && !ph.Warmup)
	})
	switch {
	case steady >= 0:
	case r.Steady != "":
		c.bad(r, "steady", "want a phase before it, without faults", "phase %s cannot show the steady level before %s", r.Steady, c.Phases[fault].Name)
	default:
		c.bad(r, "", "want a phase before it, without faults, besides the warm-up", "no phase shows the steady level before %s", c.Phases[fault].Name)
	}
	c.timeAfter(r, "within", fault, r.Within, r.Hold)
}

// breaker checks that the phase has a fault that could open the breaker, that
// the load passes it, and that there is time for what is asked.
func (c *checker) breaker(b *verdict.Breaker) {
	_, to := ends(b.Link)
	if from, _ := ends(b.Link); from != b.Target {
		c.bad(b, "link", "want a link that begins there", "%s does not begin at %s, which has the breaker", b.Link, b.Target)
		return
	}
	c.metrics(b, b.Target)
	if l := c.Load(b.Load); !c.leads(l.Target(), b.Target) {
		c.bad(b, "load", "want a load on "+b.Target, "no call of %s passes the breaker of %s", b.Load, b.Target)
	}
	fault := c.faultPhase(b.During)
	if fault < 0 {
		c.bad(b, "during", "want "+oneOf(c.faultPhases()), "phase %s has no fault that could open the breaker", b.During)
		return
	}
	ph := c.Phases[fault]
	hits := false
	for _, f := range ph.Faults {
		_, end := ends(f.Link)
		hits = hits || f.Link == b.Link || f.Target != "" && c.leads(to, f.Target) || end != to && end != "" && c.leads(to, end)
	}
	if !hits {
		c.bad(b, "during", "", "no fault of phase %s is on %s or behind it, so nothing could open the breaker", b.During, b.Link)
	}
	if b.OpensWithin > ph.For {
		c.bad(b, "opens_within", "", "phase %s takes %s, less than the breaker may take to open", ph.Name, ph.For)
	}
	if b.ClosesWithin > 0 {
		c.timeAfter(b, "closes_within", fault, b.ClosesWithin, 0)
	}
}

// timeAfter checks that the timeline goes on long enough without a fault after
// the phase for something that may take so long, and must hold for a time then.
func (c *checker) timeAfter(check any, field string, phase int, within, hold time.Duration) {
	rest := time.Duration(0)
	for _, ph := range c.Phases[phase+1:] {
		if len(ph.Faults) > 0 {
			break
		}
		rest += ph.For
	}
	if rest < within+hold {
		what := within.String()
		if hold > 0 {
			what += " and holds for " + hold.String()
		}
		c.bad(check, field, "make the phases after it longer", "only %s without a fault come after phase %s: too short to see what may take %s", rest, c.Phases[phase].Name, what)
	}
}

// faultPhase is the index of the phase of that name if it has faults; of the
// last phase with faults for "". It is -1 where there is none.
func (c *checker) faultPhase(name string) int {
	for i, ph := range slices.Backward(c.Phases) {
		if len(ph.Faults) > 0 && (name == "" || ph.Name == name) {
			return i
		}
	}
	return -1
}

func (c *checker) faultPhases() []string {
	var out []string
	for _, ph := range c.Phases {
		if len(ph.Faults) > 0 {
			out = append(out, ph.Name)
		}
	}
	return out
}
