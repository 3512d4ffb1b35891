package runner

import (
	"context"
	"fmt"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/scenarios"
)

// clientEnd is the name of the load generator's end of a link.
const clientEnd = "client"

// engine is one load, ready to run.
type engine struct {
	name     string
	schedule load.Schedule
	run      func(ctx context.Context, start time.Duration, out evidence.Sink) error
}

// spans gives each load the phases with the rates that it has in them.
func spans(plan *scenarios.Plan) map[string][]load.PhaseSpan {
	byLoad := map[string][]load.PhaseSpan{}
	for _, l := range plan.Loads {
		for _, phase := range plan.Phases {
			byLoad[l.Name] = append(byLoad[l.Name], load.PhaseSpan{
				Name: phase.Name, Start: phase.Start, For: phase.For, Rate: phase.Rates[l.Name],
			})
		}
	}
	return byLoad
}

// engines makes everything that the loads need, so that what is wrong with one
// is known before any of them sends a call.
func (r *run) engines(ctx context.Context, sys *system) ([]engine, error) {
	var engines []engine
	messages := make([]string, len(r.plan.Loads))
	for i, spec := range r.plan.Loads {
		to, err := sys.reach(ctx, clientEnd, spec.Target())
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", spec.Name, err)
		}
		schedule, err := spec.Schedule(r.spans[spec.Name], r.plan.Seed)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", spec.Name, err)
		}
		e, err := spec.Engine(load.Env{
			Index: i, Addrs: to.addrs, Members: to.members, Clock: r.clock, Dir: r.opts.BaseDir, Seed: r.plan.Seed, End: r.plan.Duration(),
			Issued: r.live.issued[i],
		})
		if err != nil {
			return nil, err
		}
		if s, ok := e.(interface{ Messages() string }); ok {
			messages[i] = s.Messages()
		}
		engines = append(engines, engine{name: spec.Name, schedule: schedule, run: func(ctx context.Context, start time.Duration, out evidence.Sink) error {
			return e.Run(ctx, start, schedule, out)
		}})
	}
	return engines, r.writer.Update(func(m *evidence.Meta) {
		for i := range m.Loads {
			m.Loads[i].Messages = messages[i]
		}
	})
}

// meta is what is known of the run before anything is started.
func (r *run) meta(id string) evidence.Meta {
	m := evidence.Meta{
		Format: 1, ID: id, Scenario: r.plan.Name, About: r.plan.About, Tags: r.plan.Tags, File: r.plan.File, Seed: r.plan.Seed,
		Base: r.clock.Base(), Outcome: evidence.Running, Build: Build(), Host: host(), Modules: modules(), Args: r.opts.Args,
		Hosts: r.plan.Hosts(),
	}
	for _, phase := range r.plan.Phases {
		p := evidence.PhaseMeta{Name: phase.Name, Start: phase.Start, For: phase.For, Warmup: phase.Warmup}
		for _, f := range phase.Faults {
			p.Faults = append(p.Faults, evidence.FaultMeta{Fault: f.String(), Link: f.Link, Target: f.Target})
		}
		for _, c := range phase.Changes {
			p.Changes = append(p.Changes, c.String())
		}
		m.Phases = append(m.Phases, p)
	}
	for _, spec := range r.plan.Loads {
		m.Loads = append(m.Loads, spec.Meta(r.spans[spec.Name], r.plan.Seed))
	}
	for _, l := range r.plan.Links {
		m.Links = append(m.Links, evidence.LinkMeta{Name: l.Name, From: l.From, To: l.To})
	}
	return m
}
