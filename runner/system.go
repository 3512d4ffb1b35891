package runner

import (
	"context"
	"errors"
	"slices"

	"ordeal/chaos"
	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/scenarios"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// system is what is under test: the targets, the links between them, and the
// cluster that some of them are in.
type system struct {
	plan     *scenarios.Plan
	launcher *targets.Launcher
	cfg      targets.Config
	links    []*chaos.Links      // one a link: each is opened when the target behind it is up
	cluster  *kubernetes.Cluster // nil where the plan has none
	services map[string]*service // the targets that are in the cluster
	targets  map[string]*targets.Target
	order    []string // names of targets as they were started: callees first
}

// startSystem starts every target after those that it calls. When it fails, it
// has ended what it started.
func startSystem(ctx context.Context, plan *scenarios.Plan, cfg targets.Config, in kubernetes.Config) (*system, error) {
	launcher, err := targets.NewLauncher(cfg)
	if err != nil {
		return nil, err
	}
	s := &system{plan: plan, cfg: cfg, launcher: launcher, services: map[string]*service{}, targets: map[string]*targets.Target{}}
	if err := s.openCluster(ctx, in); err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	for _, spec := range callOrder(plan.Targets) {
		if spec.Kind() == targets.KindService {
			continue // there already
		}
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
		w, err := s.reach(ctx, spec.Name, callee)
		if err != nil {
			return err
		}
		calls[name] = w.addrs
	}
	t, err := s.launcher.Start(ctx, spec, calls)
	if err != nil {
		return err
	}
	s.targets[spec.Name] = t
	s.order = append(s.order, spec.Name)
	return nil
}

// way is how a target is reached.
type way struct {
	addrs   []string
	members load.Members // where the addresses come and go
}

// reach gives the way from one target to another: through a link's proxies where
// the plan has such a link, which is opened at its first use.
func (s *system) reach(ctx context.Context, from, to string) (way, error) {
	var w way
	var link *chaos.Link
	v := s.services[to]
	if v != nil {
		w.addrs = addrsOf(v.members.Now())
	} else {
		w.addrs = s.targets[to].Addrs()
	}
	if i := slices.IndexFunc(s.plan.Links, func(l scenarios.Link) bool { return l.From == from && l.To == to }); i >= 0 {
		var err error
		if link, err = s.openLink(ctx, s.plan.Links[i], w.addrs); err != nil {
			return w, err
		}
		w.addrs = link.Addrs()
	}
	if v != nil {
		w.members = followed{members: v.members, link: link, ctx: context.WithoutCancel(ctx), failed: func(err error) {
			s.event(evidence.Event{Kind: evidence.Note, Target: to, Text: "the Pods are not reached: " + err.Error()})
		}}
	}
	return w, nil
}

// openLink gives an open link, which it opens where it is not.
func (s *system) openLink(ctx context.Context, spec scenarios.Link, upstreams []string) (*chaos.Link, error) {
	if link := s.link(spec.Name); link != nil {
		return link, nil
	}
	links, err := chaos.OpenLinks(ctx, []chaos.LinkSpec{{Name: spec.Name, From: spec.From, To: spec.To, Upstreams: upstreams}}, s.cfg.Clock, s.cfg.Sink)
	if err != nil {
		return nil, err
	}
	s.links = append(s.links, links)
	return links.Get(spec.Name), nil
}

func (s *system) event(e evidence.Event) {
	e.At = s.cfg.Clock.Now()
	s.cfg.Sink.Event(e)
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

// podURLs gives where the metrics of Pods are scraped, by "target/Pod".
func (s *system) podURLs() map[string]string {
	urls := map[string]string{}
	for name, v := range s.services {
		for pod, url := range s.cluster.MetricsURLs(v.spec.Service) {
			urls[name+"/"+pod] = url
		}
	}
	return urls
}

// metas describes the targets for the evidence.
func (s *system) metas() []evidence.TargetMeta {
	var all []evidence.TargetMeta
	for _, name := range s.order {
		if v := s.services[name]; v != nil {
			all = append(all, v.meta())
		} else {
			all = append(all, s.targets[name].Meta())
		}
	}
	return all
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
		if v := s.services[name]; v != nil {
			var text string
			text, e.OK = v.healthy(s.cluster)
			e.Text = when + ": " + text
		} else if err := s.targets[name].Healthy(ctx); err != nil {
			e.OK, e.Text = false, when+": "+err.Error()
		}
		e.At = clock.Now()
		out.Event(e)
	}
}

// close ends the targets and the cluster, then the links: they carry what targets
// still say while they end.
func (s *system) close(ctx context.Context) error {
	errs := []error{s.launcher.Close(ctx)}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Close(ctx))
	}
	for _, links := range s.links {
		errs = append(errs, links.Close(ctx))
	}
	return errors.Join(errs...)
}
