package scenarios

import (
	"fmt"
	"regexp"
	"time"
)

// checker holds what the rules between the parts of a scenario look at. They
// run only on a document that is sound in itself.
type checker struct {
	*Plan
	doc *document
	d   *decoder
}

// check applies the rules between the parts of a scenario.
func check(p *Plan, doc *document, d *decoder) {
	c := &checker{Plan: p, doc: doc, d: d}
	c.names()
	c.phases()
	c.cluster()
	c.calls()
	if len(d.errs) == 0 {
		c.loads()
	}
	c.faults()
	c.changes()
	if len(d.errs) == 0 {
		c.expectations()
	}
}

// bad reports an error at a field of a decoded struct.
func (c *checker) bad(structure any, field, hint, format string, args ...any) {
	c.d.bad(c.d.place(structure, field), fmt.Sprintf(format, args...), hint)
}

var (
	scenarioName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	partName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)
)

// names checks the names that the user chose: they become names of files,
// of environment variables and of columns in reports.
func (c *checker) names() {
	if !scenarioName.MatchString(c.doc.Name) {
		c.bad(c.doc, "name", "want letters, digits, and . _ -, at most 64", "%q cannot name a scenario", c.doc.Name)
	}
	if len(c.doc.About) > 200 {
		c.bad(c.doc, "about", "want one line of at most 200 characters; the rest fits into a comment", "about is too long")
	}
	for _, tag := range c.doc.Tags {
		if !partName.MatchString(tag) {
			c.bad(c.doc, "tags", "want letters, digits, _ and -", "%q cannot be a tag", tag)
		}
	}
	for _, t := range c.Targets {
		if t.Name == client {
			c.d.bad(c.d.nodes[t].head(), `"client" is the load generator's end of a link`, "want another name for the target")
		}
		c.partName(t, "target", t.Name)
	}
	for _, l := range c.Loads {
		c.partName(l, "load", l.Name)
	}
	for _, ph := range c.doc.Timeline {
		if !partName.MatchString(ph.Name) {
			c.bad(ph, "phase", "want a letter, then letters, digits, _ and -, at most 32", "%q cannot name a phase", ph.Name)
		}
	}
}

func (c *checker) partName(part any, kind, name string) {
	if !partName.MatchString(name) {
		c.d.bad(c.d.nodes[part].head(), fmt.Sprintf("%q cannot name a %s", name, kind), "want a letter, then letters, digits, _ and -, at most 32")
	}
}

// Bounds on a timeline: more is a slip of the pen.
const (
	longest    = 24 * time.Hour
	mostPhases = 200
)

// phases checks that the timeline can be gone through.
func (c *checker) phases() {
	seen := map[string]bool{}
	var total time.Duration
	for _, ph := range c.doc.Timeline {
		switch {
		case ph.For <= 0:
			c.bad(ph, "for", `want a duration such as "10s"`, "phase %s takes no time", ph.Name)
		case ph.For > longest || total+ph.For > longest:
			c.bad(ph, "for", "want at most 24h in all", "the timeline takes too long")
			return
		}
		total += ph.For
		if seen[ph.Name] {
			c.bad(ph, "phase", "checks name phases, so each needs a name of its own", "a second phase %q", ph.Name)
		}
		seen[ph.Name] = true
	}
	switch n := len(c.doc.Timeline); {
	case n == 0:
		c.bad(c.doc, "timeline", "want at least one {phase: …, for: …}", "the timeline is empty")
	case n > mostPhases:
		c.bad(c.doc, "timeline", fmt.Sprintf("want at most %d", mostPhases), "the timeline has %d phases", n)
	}
	if len(seen) == 1 && seen[warmup] {
		c.bad(c.doc, "timeline", "want a phase after it", "there is nothing but the warm-up, which is not judged")
	}
	if len(c.Targets) == 0 {
		c.bad(c.doc, "targets", "want at least one", "there is no target")
	}
	if len(c.Loads) == 0 {
		c.bad(c.doc, "load", "want at least one", "there is no load")
	}
	if len(c.Expects) == 0 {
		c.bad(c.doc, "expect", "want at least one", "nothing is expected, so nothing could fail")
	}
}
