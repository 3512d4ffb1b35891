package scenarios

import (
	"io"
	"slices"
	"time"

	"ordeal/chaos"
	"ordeal/runner/change"
	"ordeal/runner/load"
	"ordeal/runner/verdict"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// Plan is a scenario that can be run: checked, with every name resolved.
type Plan struct {
	Name   string
	About  string
	Tags   []string
	Seed   uint64
	File   string // as it was given to Parse
	Source []byte // the scenario verbatim

	Kubernetes *kubernetes.Spec // nil where the scenario has no cluster
	Targets    []*targets.Spec  // in the order of the file
	Links      []Link           // those that go through a proxy, for the whole run
	Loads      []*load.Spec     // in the order of the file
	Phases     []Phase
	Expects    []*verdict.Expect

	decoded *decoder // knows where everything stands
}

// Link is a way from one target to another, or from the load generator, that
// goes through a proxy.
type Link struct{ Name, From, To string }

// Phase is one part of the timeline.
type Phase struct {
	Name    string
	Start   time.Duration // from the start of the timeline
	For     time.Duration
	Warmup  bool // left out of every judgement that does not name it
	Faults  []*chaos.Spec
	Changes []*change.Spec         // made at its start; they stay
	Rates   map[string]*load.Curve // by load, where it differs in this phase
}

// End is when the phase ends, from the start of the timeline.
func (p Phase) End() time.Duration { return p.Start + p.For }

// Parse reads a scenario. The error is an Errors with all that is wrong, or
// says that r could not be read.
func Parse(name string, r io.Reader) (*Plan, error) {
	text, err := readSource(r)
	if err != nil {
		return nil, err
	}
	plan, errs := parse(name, text)
	if len(errs) > 0 {
		return nil, sortErrors(errs)
	}
	return plan, nil
}

func parse(name string, text []byte) (*Plan, Errors) {
	src := newSource(name, text)
	root, errs := parseYAML(src, text)
	if len(errs) > 0 {
		return nil, errs
	}
	d := newDecoder(src)
	var doc document
	d.decode(root, &doc)
	d.resolve(namesIn(root), &doc)
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	plan := newPlan(&doc, root)
	plan.File, plan.Source, plan.decoded = name, text, d
	check(plan, &doc, d)
	return plan, d.errs
}

// newPlan puts a document in order.
func newPlan(doc *document, root *node) *Plan {
	p := &Plan{Name: doc.Name, About: doc.About, Tags: doc.Tags, Seed: doc.Seed, Kubernetes: doc.Kubernetes, Expects: doc.Expect}
	for _, name := range keysOf(root.get("targets")) {
		spec := doc.Targets[name]
		spec.Name = name
		p.Targets = append(p.Targets, spec)
	}
	for _, name := range keysOf(root.get("load")) {
		spec := doc.Load[name]
		spec.Name = name
		if target := doc.Targets[spec.Target()]; target != nil {
			spec.Secure = target.Secure()
		}
		p.Loads = append(p.Loads, spec)
	}
	var start time.Duration
	for _, ph := range doc.Timeline {
		p.Phases = append(p.Phases, Phase{Name: ph.Name, Start: start, For: ph.For, Warmup: ph.Name == warmup, Faults: ph.Faults, Changes: ph.Changes, Rates: ph.Load})
		start += ph.For
	}
	p.Links = proxied(p)
	return p
}

// proxied lists the links named in a fault or an expectation, each once.
func proxied(p *Plan) []Link {
	var out []Link
	add := func(name string) {
		if name == "" || slices.ContainsFunc(out, func(l Link) bool { return l.Name == name }) {
			return
		}
		from, to := ends(name)
		out = append(out, Link{Name: name, From: from, To: to})
	}
	for _, ph := range p.Phases {
		for _, f := range ph.Faults {
			add(f.Link)
		}
	}
	for _, e := range p.Expects {
		switch {
		case e.Arrivals != nil:
			add(e.Arrivals.Link)
		case e.Breaker != nil:
			add(e.Breaker.Link)
		}
	}
	return out
}

// Duration is how long the timeline takes.
func (p *Plan) Duration() time.Duration {
	if len(p.Phases) == 0 {
		return 0
	}
	return p.Phases[len(p.Phases)-1].End()
}

// Target returns the target of that name, or nil.
func (p *Plan) Target(name string) *targets.Spec {
	for _, t := range p.Targets {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// LinkNamed reports whether a fault or an expectation names a link.
func (p *Plan) LinkNamed(name string) bool {
	return slices.ContainsFunc(p.Links, func(l Link) bool { return l.Name == name })
}

// Load returns the load of that name, or nil.
func (p *Plan) Load(name string) *load.Spec {
	for _, l := range p.Loads {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// Phase returns the phase of that name.
func (p *Plan) Phase(name string) (Phase, bool) {
	for _, ph := range p.Phases {
		if ph.Name == name {
			return ph, true
		}
	}
	return Phase{}, false
}

// Checks are the expectations, ready to judge a run.
func (p *Plan) Checks() []verdict.Check {
	var out []verdict.Check
	for _, e := range p.Expects {
		if c := e.Check(); c != nil {
			out = append(out, c)
		}
	}
	return out
}
