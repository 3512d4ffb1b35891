package runner

import (
	"context"
	"errors"
	"slices"

	"ordeal/chaos"
	"ordeal/runner/evidence"
	"ordeal/scenarios"
	"ordeal/targets"
)

// system is what is under test: the targets and the links between them.
type system struct {
	plan     *scenarios.Plan
	launcher *targets.Launcher
	cfg      targets.Config
	links    []*chaos.Links // one a link: each is opened when the target behind it is up
	targets  map[string]*targets.Target
	order    []string // names of targets as they were started: callees first
}

// startSystem starts every target after those that it calls. When it fails, it
// has ended what it started.
func startSystem(ctx context.Context, plan *scenarios.Plan, cfg targets.Config) (*system, error) {
	launcher, err := targets.NewLauncher(cfg)
	if err != nil {
		return nil, err
	}
	s := &system{plan: plan, cfg: cfg, launcher: launcher, targets: map[string]*targets.Target{}}
	for _, spec := range callOrder(plan.Targets) {
		if err := s.start(ctx, spec); err != nil {
			return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

// start starts one target, with the links that lead away from it.
func (s *system) start(ctx context.Context, spec *targets.Spec) error {
	calls := map[string][]string{}
	for name, callee := range spec.Calls {
		addrs, err := s.reach(ctx, spec.Name, callee)
		if err != nil {
			return err
		}
		calls[name] = addrs
	}
	t, err := s.launcher.Start(ctx, spec, calls)
	if err != nil {
		return err
	}
	s.targets[spec.Name] = t
	s.order = append(s.order, spec.Name)
	return nil
}

// reach gives the addresses at which from reaches to: those of a link's proxies
// where the plan has such a link, which is opened at its first use.
func (s *system) reach(ctx context.Context, from, to string) ([]string, error) {
	direct := s.targets[to].Addrs()
	i := slices.IndexFunc(s.plan.Links, func(l scenarios.Link) bool { return l.From == from && l.To == to })
	if i < 0 {
		return direct, nil
	}
	spec := s.plan.Links[i]
	if link := s.link(spec.Name); link != nil {
		return link.Addrs(), nil
	}
	links, err := chaos.OpenLinks(ctx, []chaos.LinkSpec{{Name: spec.Name, From: from, To: to, Upstreams: direct}}, s.cfg.Clock, s.cfg.Sink)
	if err != nil {
		return nil, err
	}
	s.links = append(s.links, links)
	return links.Get(spec.Name).Addrs(), nil
}

// link gives an open link, nil where there is none of that name.
func (s *system) link(name string) *chaos.Link {
	for _, links := range s.links {
		if link := links.Get(name); link != nil {
			return link
		}
	}
	return nil
}

func (s *system) eachLink(do func(*chaos.Link)) {
	for _, links := range s.links {
		links.Each(do)
	}
}

// callOrder sorts targets so that each comes after those that it calls. A plan
// has no cycles.
func callOrder(specs []*targets.Spec) []*targets.Spec {
	byName := map[string]*targets.Spec{}
	for _, spec := range specs {
		byName[spec.Name] = spec
	}
	var sorted []*targets.Spec
	var visit func(*targets.Spec)
	visit = func(spec *targets.Spec) {
		if spec == nil || slices.Contains(sorted, spec) {
			return
		}
		for _, other := range specs { // in the order written, so that runs are alike
			for _, callee := range spec.Calls {
				if callee == other.Name {
					visit(byName[callee])
				}
			}
		}
		sorted = append(sorted, spec)
	}
	for _, spec := range specs {
		visit(spec)
	}
	return sorted
}

// processes gives the processes of a target, as faults need them.
func (s *system) processes(target string) []chaos.Process {
	t := s.targets[target]
	if t == nil {
		return nil
	}
	procs := make([]chaos.Process, len(t.Processes()))
	for i, p := range t.Processes() {
		procs[i] = p
	}
	return procs
}

// pids gives the process ids of what was started, by replica.
func (s *system) pids() map[string]int {
	pids := map[string]int{}
	for _, t := range s.targets {
		for _, p := range t.Processes() {
			pids[p.Name()] = p.PID()
		}
	}
	return pids
}

// metricsURLs gives where metrics are scraped, by replica.
func (s *system) metricsURLs() map[string]string {
	urls := map[string]string{}
	for _, t := range s.targets {
		for name, url := range t.MetricsURLs() {
			urls[name] = url
		}
	}
	return urls
}

// checkHealth asks every target, and records what it says.
func (s *system) checkHealth(ctx context.Context, when string, clock evidence.Clock, out evidence.Sink) {
	for _, name := range s.order {
		e := evidence.Event{Kind: evidence.HealthChecked, Target: name, OK: true, Text: when + ": ready"}
		if err := s.targets[name].Healthy(ctx); err != nil {
			e.OK, e.Text = false, when+": "+err.Error()
		}
		e.At = clock.Now()
		out.Event(e)
	}
}

// close ends the targets, then the links: they carry what targets still say
// while they end.
func (s *system) close(ctx context.Context) error {
	errs := []error{s.launcher.Close(ctx)}
	for _, links := range s.links {
		errs = append(errs, links.Close(ctx))
	}
	return errors.Join(errs...)
}
