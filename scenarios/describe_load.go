package scenarios

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"ordeal/runner/load"
)

// Spans gives the phases as a load sees them, with the rates that it has in them.
func (p *Plan) Spans(name string) []load.PhaseSpan {
	var out []load.PhaseSpan
	for _, ph := range p.Phases {
		out = append(out, load.PhaseSpan{Name: ph.Name, Start: ph.Start, For: ph.For, Rate: ph.Rates[name]})
	}
	return out
}

// Planned counts the calls that a load is to make in each phase; nil for a
// closed model.
func (p *Plan) Planned(l *load.Spec) map[string]int64 {
	return l.Meta(p.Spans(l.Name), p.Seed).Planned
}

// load says what each load calls and how often.
func (d *description) load() {
	d.section("Load")
	gutter := 0
	for _, l := range d.plan.Loads {
		gutter = max(gutter, len(l.Name))
	}
	total := int64(0)
	for _, l := range d.plan.Loads {
		m := l.Meta(d.plan.Spans(l.Name), d.plan.Seed)
		words := []string{fmt.Sprintf("%s %s on %s, %s", m.Engine, m.Call, m.Target, m.Shape)}
		if !l.Closed() {
			words = append(words, m.Arrivals+" arrivals")
		}
		words = append(words, "timeout "+span(m.Timeout))
		d.entry(l.Name, gutter, strings.Join(words, ", "))
		calls, sum := d.plannedCalls(l, m.Planned)
		d.entry("", gutter, calls)
		total += sum
	}
	if len(d.plan.Loads) > 1 && total > 0 {
		d.line("  %s calls in all%s", thousands(total), d.unplanned())
	}
}

func (d *description) unplanned() string {
	for _, l := range d.plan.Loads {
		if l.Closed() {
			return ", and those of closed models"
		}
	}
	return ""
}

// plannedCalls says how many calls are planned in each phase.
func (d *description) plannedCalls(l *load.Spec, planned map[string]int64) (string, int64) {
	if l.Closed() {
		return "closed model: each client calls again when it has its answer", 0
	}
	var parts []string
	total := int64(0)
	for _, ph := range d.plan.Phases {
		parts = append(parts, ph.Name+" "+thousands(planned[ph.Name]))
		total += planned[ph.Name]
	}
	return fmt.Sprintf("%s calls: %s", thousands(total), strings.Join(parts, ", ")), total
}

// Notes says what may keep the plan from showing what it asks for, although
// nothing is wrong with it.
func (p *Plan) Notes() []string {
	var out []string
	for _, e := range p.Expects {
		if e.Latency == nil || e.Latency.Of == "messages" {
			continue // how many messages a call has is not known ahead
		}
		l := p.Load(e.Latency.Load)
		calls := p.plannedDuring(l, e.Latency.During)
		for _, q := range []struct {
			name  string
			asked bool
			needs int64
		}{
			{"p99", e.Latency.P99 != nil, 1_000}, {"p99.9", e.Latency.P999 != nil, 10_000}, {"p99.99", e.Latency.P9999 != nil, 100_000},
		} {
			if q.asked && !l.Closed() && calls < q.needs {
				out = append(out, fmt.Sprintf("%s of %s %s needs %s calls, and %s are planned: it can only be inconclusive",
					q.name, l.Name, e.Latency.During, thousands(q.needs), thousands(calls)))
			}
		}
	}
	for _, l := range p.Loads {
		if !l.Closed() && p.plannedDuring(l, nil) == 0 {
			out = append(out, fmt.Sprintf("%s makes no call outside of the warm-up", l.Name))
		}
	}
	if p.Duration() > time.Hour {
		out = append(out, "the timeline takes "+span(p.Duration()))
	}
	return out
}

// plannedDuring counts the calls planned in some phases; in all but the warm-up
// where none is named.
func (p *Plan) plannedDuring(l *load.Spec, during []string) int64 {
	total := int64(0)
	planned := p.Planned(l)
	for _, ph := range p.Phases {
		named := len(during) == 0 && !ph.Warmup
		for _, name := range during {
			named = named || name == ph.Name
		}
		if named {
			total += planned[ph.Name]
		}
	}
	return total
}

// kindOf is the key of the field that is set in a struct of kinds.
func kindOf(spec any) string {
	v := reflect.ValueOf(spec).Elem()
	for _, f := range fieldsOf(v.Type()) {
		if f.oneof != "" && !v.FieldByIndex(f.index).IsNil() {
			return f.name
		}
	}
	return ""
}
