package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// Build gathers what the reports say of a run, once for all of them.
func Build(run *evidence.Run, j verdict.Judgement) (*Document, error) {
	sum, err := run.Summary()
	if err != nil {
		return nil, fmt.Errorf("sum up the run's calls: %w", err)
	}
	m := run.Meta
	d := &Document{
		Version:   DocumentVersion,
		Judgement: j,
		Phases:    []Phase{},
		Loads:     []Load{},
		Faults:    []Fault{},
		Events:    besidesObjects(run.Events),
		Changes:   changes(run),
		Cluster:   cluster(run),
		run:       run,
		Run: Identity{
			ID: m.ID, Scenario: m.Scenario, About: m.About, Tags: m.Tags, File: m.File, Seed: m.Seed,
			Base: m.Base, Outcome: m.Outcome, Killed: run.Killed(), Error: m.Error,
			Start: m.Start, Build: m.Build, Host: m.Host, Modules: m.Modules, Args: m.Args,
			Hosts: m.Hosts, Targets: m.Targets, Links: m.Links, Hashed: len(m.Files),
		},
	}
	spans := run.Phases()
	for _, s := range spans {
		d.Phases = append(d.Phases, Phase{s.Name, s.Start, s.End, s.Planned, s.Complete, s.Warmup})
	}
	for _, f := range run.Faults() {
		d.Faults = append(d.Faults, fault(f))
	}
	// Targets are stopped after the last phase; that is not part of the timeline.
	d.Run.End = max(run.End(), m.Start)
	if n := len(spans); n > 0 {
		d.Run.End = max(spans[n-1].End, m.Start)
	}
	for i := range sum.Loads {
		d.Loads = append(d.Loads, load(&sum.Loads[i], spans))
	}
	if d.Generator, d.course, err = generator(run, d); err != nil {
		return nil, err
	}
	if d.Run.Altered, err = run.Verify(); err != nil {
		return nil, fmt.Errorf("compare the evidence with its hashes: %w", err)
	}
	d.Warnings = warnings(run, sum)
	for _, a := range d.Run.Altered {
		d.Warnings = append(d.Warnings, "the evidence is not as it was when the run ended: "+a)
	}
	if d.source, err = run.Scenario(); err != nil {
		d.Warnings = append(d.Warnings, "the scenario's source could not be read: "+err.Error())
	}
	// Lists are never null in JSON, for those who read it without a schema.
	if d.Judgement.Checks == nil {
		d.Judgement.Checks = []verdict.Verdict{}
	}
	if d.Judgement.Validity == nil {
		d.Judgement.Validity = []verdict.Verdict{}
	}
	if d.Events == nil {
		d.Events = []evidence.Event{}
	}
	if d.Run.Hosts == nil {
		d.Run.Hosts = []string{}
	}
	if d.Run.Targets == nil {
		d.Run.Targets = []evidence.TargetMeta{}
	}
	return d, nil
}

// warnings says what of the evidence cannot be relied upon, and what a reader
// must not overlook.
func warnings(run *evidence.Run, sum *evidence.Summary) []string {
	out := run.Warnings()
	var lost []string
	for what := range run.Meta.Lost {
		lost = append(lost, what)
	}
	sort.Strings(lost)
	for _, what := range lost {
		if n := run.Meta.Lost[what]; n > 0 {
			out = append(out, fmt.Sprintf("%s %s could not be kept", thousands(n), what))
		}
	}
	if n := run.Meta.Waits; n > 0 {
		out = append(out, fmt.Sprintf("evidence had to wait %s for the disk, which may have delayed calls: write it to a faster disk (--out)", times(n)))
	}
	for _, e := range run.Events {
		if e.Kind == evidence.TargetExit && !e.Expected {
			how, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
			out = append(out, fmt.Sprintf("target %s ended by itself at %s: %s", e.Target, offset(e.At-run.Meta.Start), how))
		}
	}
	if sum.Outside > 0 {
		out = append(out, fmt.Sprintf("%s calls belong to no load, or to no time of the timeline", thousands(sum.Outside)))
	}
	return out
}

func fault(f evidence.FaultSpan) Fault {
	out := Fault{
		Fault: f.Fault, Phase: f.Phase, Link: f.Link, Target: f.Target,
		Injected: f.Injected, Touched: f.Touched, Error: f.Failed,
	}
	if f.WasHealed {
		at := f.Healed
		out.Healed = &at
	}
	return out
}

func load(l *evidence.LoadSummary, spans []evidence.Span) Load {
	m := l.Meta
	out := Load{
		Name: m.Name, Engine: m.Engine, Target: m.Target, Call: m.Call, Model: m.Model,
		Arrivals: m.Arrivals, Shape: m.Shape, Workers: m.Workers, Timeout: m.Timeout,
		Transport: m.Transport, Messages: m.Messages,
		Phases: []Figures{},
	}
	var took time.Duration
	var planned, unissued int64
	for _, s := range spans {
		f := figures(l.Phases[s.Name], s.Took())
		f.Phase, f.Warmup, f.Planned = s.Name, s.Warmup, m.Planned[s.Name]
		f.Unissued = max(0, f.Planned-f.Calls)
		out.Phases = append(out.Phases, f)
		if !s.Warmup {
			took += s.Took()
			planned += f.Planned
			unissued += f.Unissued
		}
	}
	out.Whole = figures(l.Whole, took)
	out.Whole.Planned, out.Whole.Unissued = planned, unissued
	return out
}

func figures(s *evidence.Stats, took time.Duration) Figures {
	f := Figures{Took: took}
	if s == nil {
		return f
	}
	f.Calls, f.Errors, f.Degraded, f.Late, f.Bytes = s.Calls, s.Errors(), s.Marked, s.Late, s.Bytes
	f.Timeouts = s.Of(evidence.Timeout)
	if took > 0 {
		f.Rate = float64(s.Calls) / took.Seconds()
	}
	for c, n := range s.Class {
		if n > 0 {
			if f.Classes == nil {
				f.Classes = make(map[string]int64)
			}
			f.Classes[evidence.Class(c).String()] = n
		}
	}
	for k, n := range s.Codes {
		if k.Code != 0 {
			f.Codes = append(f.Codes, CodeCount{k.Class.String(), k.Code, n})
		}
	}
	slices.SortFunc(f.Codes, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Code, b.Code))
	})
	if len(s.Backends) > 0 {
		f.Backends = maps.Clone(s.Backends)
	}
	f.Response, f.Service, f.Lag, f.Beyond = latency(s.Response), latency(s.Service), latency(s.Lag), beyond(s.Calls)
	if m := &s.Messages; m.Count > 0 {
		f.Messages = &MessageFigures{m.Count, m.Unanswered, latency(m.Response), latency(m.Service), latency(m.Lag), beyond(m.Count)}
	}
	return f
}

// beyond counts how many of n values lie beyond each percentile, as
// evidence.Distribution does.
func beyond(n int64) Beyond {
	of := func(p float64) int64 { return n - int64(math.Ceil(p/100*float64(n)-1e-6)) }
	return Beyond{P50: of(50), P90: of(90), P95: of(95), P99: of(99), P999: of(99.9)}
}

func latency(d *evidence.Distribution) Latency {
	if d.Count() == 0 {
		return Latency{}
	}
	at := func(p float64) *time.Duration {
		if v, enough := d.Percentile(p); enough {
			return &v
		}
		return nil
	}
	mean, most := d.Mean(), d.Max()
	return Latency{Mean: &mean, P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9), Max: &most}
}
