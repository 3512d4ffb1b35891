package scenarios

import (
	"maps"
	"slices"
	"strings"

	"ordeal/targets"
)

// calls checks that targets can be started one after the other, each after those
// that it calls, and that a link can be put where one is named.
func (c *checker) calls() {
	for _, t := range c.Targets {
		if way := c.wayTo(t.Name, t.Name, map[string]bool{}); way != nil {
			c.bad(t, "calls", "a target is started after those that it calls", "targets call each other in a circle: %s", strings.Join(way, " -> "))
			return
		}
	}
	for _, l := range c.Links {
		from := c.Target(l.From)
		if from == nil || from.Kind() != targets.KindCommand {
			continue
		}
		for name, to := range from.Calls {
			if to == l.To && !usesCall(from, name) {
				c.bad(from, "calls", "put ${calls."+name+"} among its arguments", "the link %s cannot be put in place: the command does not take the address", l.Name)
			}
		}
	}
}

// usesCall reports whether a command is told the address of what it calls.
func usesCall(t *targets.Spec, name string) bool {
	asked := func(text string) bool { return strings.Contains(text, "${calls."+name+"}") }
	return slices.ContainsFunc(t.Command, asked) || slices.ContainsFunc(slices.Collect(maps.Values(t.Env)), asked)
}

// wayTo finds targets that lead by their calls from one to another, both
// included; nil if none do. What was seen leads nowhere and is not tried again.
func (c *checker) wayTo(from, to string, seen map[string]bool) []string {
	t := c.Target(from)
	if t == nil || seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range calledBy(t) {
		if next == to {
			return []string{from, to}
		}
		if way := c.wayTo(next, to, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}

// leads reports whether calls go from one target to another, or both are one.
func (c *checker) leads(from, to string) bool {
	return from == to || c.wayTo(from, to, map[string]bool{}) != nil
}

// calledBy lists what a target calls, sorted.
func calledBy(t *targets.Spec) []string {
	var out []string
	for _, to := range t.Calls {
		out = append(out, to)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// loads checks that a load fits the target that it calls, and the rates that
// phases give it.
func (c *checker) loads() {
	for _, l := range c.Loads {
		t := c.Target(l.Target())
		switch {
		case l.GRPC != nil && t.Reference == "gateway":
			c.bad(l.GRPC, "target", "want http or trickle", "the reference gateway speaks HTTP, not gRPC")
		case l.HTTP != nil && t.Reference == "users":
			c.bad(l.HTTP, "target", "want grpc", "the reference users speaks gRPC, not HTTP")
		case l.Trickle != nil && t.Reference == "users":
			c.bad(l.Trickle, "target", "want a target that speaks HTTP", "the reference users speaks gRPC, not HTTP")
		case l.GRPC != nil && t.Secure():
			c.bad(l.GRPC, "target", "want a target without https", "gRPC calls are made without TLS")
		case l.Trickle != nil && t.Secure():
			c.bad(l.Trickle, "target", "want a target without https", "a slow client speaks without TLS")
		case l.HTTP != nil && l.HTTP.TLS != nil && !t.Secure():
			c.bad(l.HTTP, "tls", "want external: https://host:port in the target, or no tls", "%s does not speak TLS", t.Name)
		}
		if _, err := l.Schedule(c.Spans(l.Name), c.Seed); err != nil && !l.Closed() {
			c.bad(l, "rate", "", "%v", err)
		}
	}
	for _, ph := range c.doc.Timeline {
		for name := range ph.Load {
			if l := c.Load(name); l.Closed() {
				c.bad(ph, "load."+name, "", "%s is a closed model with %d clients: it has no rate to change", name, l.Clients)
			}
		}
	}
}

// faults checks that each fault has something to act on, and that those of one
// phase can act together.
func (c *checker) faults() {
	for _, ph := range c.doc.Timeline {
		for i, f := range ph.Faults {
			if t := c.Target(f.Target); f.OnPods() {
				c.podFault(f, t)
			} else if t != nil {
				c.processFault(f, t)
			}
			for _, other := range ph.Faults[:i] {
				if why := conflict(other, f); why != "" {
					c.bad(f, "", "", "%s", why)
					break
				}
			}
		}
	}
}
