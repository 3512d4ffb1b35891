package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ordeal/chaos"
	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/runner/observe"
	"ordeal/scenarios"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// ErrInterrupted is the cause to cancel a run's context with when a signal ends
// it: the outcome is then Interrupted, not Failed.
var ErrInterrupted = errors.New("interrupted")

// lead is the time between the decision to start the timeline and its start:
// engines connect and observers look once before.
const lead = 300 * time.Millisecond

// Run carries out the plan and returns the run directory. The directory is
// there, and can be judged, as soon as anything was started, also when Run
// returns an error: ErrInterrupted, or what kept the run from going on.
func Run(ctx context.Context, plan *scenarios.Plan, opts Options) (dir string, err error) {
	if err := plan.CheckHosts(opts.Hosts); err != nil {
		return "", err
	}
	if err := plan.CheckContext(opts.Contexts); err != nil {
		return "", err
	}
	if plan.Kubernetes != nil && plan.Kubernetes.Local != nil {
		if _, err := kubernetes.FindLocal(); err != nil {
			return "", err
		}
	}
	if opts.Seed != nil {
		plan.Seed = *opts.Seed
	}
	r := &run{plan: plan, opts: opts, clock: evidence.NewClock(), spans: spans(plan)}
	if dir, err = makeDir(opts.Dir, plan.Name, r.clock.Base()); err != nil {
		return "", err
	}
	meta := r.meta(filepath.Base(dir))
	r.writer, err = evidence.Create(dir, meta, plan.Source)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir)) // it was made a moment ago, by us
	}
	r.live = newLive(r.writer, r.writer.Waits, &meta, opts.Metrics)
	r.event(evidence.Event{Kind: evidence.RunStart})
	err = r.carryOut(ctx, dir)
	outcome := evidence.Completed
	switch {
	case errors.Is(err, ErrInterrupted):
		outcome = evidence.Interrupted
	case err != nil:
		outcome = evidence.Failed
	}
	r.event(evidence.Event{Kind: evidence.RunEnd, Text: string(outcome)})
	return dir, errors.Join(err, r.writer.Close(outcome, err))
}

// makeDir makes a new directory for the run below parent, named by time and
// scenario.
func makeDir(parent, name string, at time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("make the directory for runs: %w", err)
	}
	base := filepath.Join(parent, at.Format("20060102-150405")+"-"+name)
	for i := 1; ; i++ {
		dir := base
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", base, i)
		}
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("make the run directory: %w", err)
		}
	}
}

// run is one run under way.
type run struct {
	plan   *scenarios.Plan
	opts   Options
	clock  evidence.Clock
	writer *evidence.Writer
	live   *live
	spans  map[string][]load.PhaseSpan // by load
	start  time.Duration               // offset of the timeline's start
}

func (r *run) event(e evidence.Event) {
	e.At = r.clock.Now()
	r.live.Event(e)
}

func (r *run) carryOut(ctx context.Context, dir string) (err error) {
	logs := filepath.Join(dir, "targets")
	if err := os.Mkdir(logs, 0o755); err != nil {
		return fmt.Errorf("make the directory for output of targets: %w", err)
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	stopProgress := r.progress(nil)
	sys, err := startSystem(ctx, r.plan, targets.Config{
		Self: r.opts.Self, LogDir: logs, BaseDir: r.opts.BaseDir, Clock: r.clock, Sink: r.live, Abort: abort,
	}, kubernetes.Config{
		Images: r.images(), BaseDir: r.opts.BaseDir, LogDir: filepath.Join(dir, "kubernetes"), Kubeconfig: r.opts.Kubeconfig, Lost: abort,
	})
	stopProgress()
	if err != nil {
		return errors.Join(err, interruption(ctx))
	}
	defer func() { err = errors.Join(err, sys.close(context.WithoutCancel(ctx))) }()
	sys.checkHealth(ctx, "before-load", r.clock, r.live)

	engines, err := r.engines(ctx, sys)
	if err != nil {
		return err
	}
	if err := r.begin(sys, engines); err != nil {
		return err
	}
	scrapers := scrapers{observe.NewScraper(r.clock, observe.ScrapeEvery, sys.metricsURLs)}
	if sys.cluster != nil {
		scrapers = append(scrapers, observe.NewScraper(r.clock, observe.ScrapePodsEvery, sys.podURLs))
	}
	stopObservers := r.observe(ctx, sys, scrapers)
	defer func() { err = errors.Join(err, stopObservers()) }()

	err = r.underLoad(ctx, sys, engines, scrapers)
	took := r.clock.Now()
	err = errors.Join(err, r.writer.Update(func(m *evidence.Meta) { m.Took = took }))
	scrapers.Look()
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	sys.checkHealth(after, "after-load", r.clock, r.live)
	return err
}

// begin fixes the start of the timeline and writes down what is now known.
func (r *run) begin(sys *system, engines []engine) error {
	r.start = r.clock.Now() + lead
	r.live.started(engines, func() time.Duration { return r.clock.Now() - r.start })
	return r.writer.Update(func(m *evidence.Meta) {
		m.Start = r.start
		for i := range m.Phases {
			m.Phases[i].Start += r.start
		}
		m.Targets, m.Cluster = sys.metas(), sys.clusterMeta()
	})
}

// underLoad runs the loads and the timeline beside each other.
func (r *run) underLoad(ctx context.Context, sys *system, engines []engine, scrapers scrapers) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	line := &timeline{
		plan: r.plan, clock: r.clock, start: r.start, out: r.live, edge: scrapers.Look, abort: cancel,
		env: chaos.Env{Link: sys.link, Processes: sys.processes, Seed: r.plan.Seed, Run: ctx},
	}
	if sys.cluster != nil {
		line.cluster, line.env.Cluster = sys.cluster, podFaults{cluster: sys.cluster, service: sys.serviceOf}
	}
	stopProgress := r.progress(line)
	defer stopProgress()
	var wg sync.WaitGroup
	for _, e := range engines {
		wg.Go(func() {
			r.event(evidence.Event{Kind: evidence.LoadStart, Load: e.name})
			err := e.run(ctx, r.start, r.live)
			end := evidence.Event{Kind: evidence.LoadEnd, Load: e.name}
			if err != nil && ctx.Err() == nil {
				end.Text = err.Error()
				cancel(err) // a run without one of its loads is not the run that was asked for
			}
			r.event(end)
		})
	}
	line.wait(ctx, r.start) // the timeline itself sees it when ctx ended meanwhile
	err := line.run(ctx)
	if err != nil {
		cancel(err)
	}
	wg.Wait()
	// The first reason is the cause; a heal that failed besides is in err.
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = errors.Join(cause, err)
	}
	return err
}

// observe starts the observers; the function returned ends them and waits.
func (r *run) observe(ctx context.Context, sys *system, scrapers scrapers) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	observers := []observe.Observer{
		observe.Processes{Clock: r.clock, PIDs: sys.pids},
		observe.Links{Clock: r.clock, Each: sys.eachLink},
		observe.Harness{Clock: r.clock},
	}
	for _, s := range scrapers {
		observers = append(observers, s)
	}
	if sys.cluster != nil {
		observers = append(observers,
			observe.Objects{Clock: r.clock, Cluster: sys.cluster, TargetOf: sys.targetOf},
			observe.PodMetrics{Clock: r.clock, Cluster: sys.cluster})
	}
	errs := make([]error, len(observers))
	var wg sync.WaitGroup
	for i, o := range observers {
		wg.Go(func() { errs[i] = o.Observe(ctx, r.live) })
	}
	return func() error {
		cancel()
		wg.Wait()
		return errors.Join(errs...)
	}
}

// scrapers are those of a run.
type scrapers []*observe.Scraper

// Look asks for a scrape now.
func (all scrapers) Look() {
	for _, s := range all {
		s.Look()
	}
}

// images are the programs that stand for the images of the reference services.
func (r *run) images() map[string][]string {
	self := r.opts.Self
	return map[string][]string{
		"ordeal/gateway": append(self[:len(self):len(self)], targets.TargetVerb, "gateway"),
		"ordeal/users":   append(self[:len(self):len(self)], targets.TargetVerb, "users"),
	}
}

// interruption is ErrInterrupted where that is why ctx ended, else nil.
func interruption(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrInterrupted) {
		return ErrInterrupted
	}
	return nil
}

// progress reports once a second until the function returned is called.
func (r *run) progress(line *timeline) (stop func()) {
	if r.opts.Progress == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		before, at := r.live.tally.Look(), time.Now()
		for {
			p := Progress{Stage: StageStarting, Total: r.plan.Duration()}
			if line != nil {
				p.Stage = StageRunning
				p.Phase, p.Faults = line.now()
				if p.Phase == "" {
					p.Stage = StageStarting
				}
				p.Elapsed = min(max(r.clock.Now()-r.start, 0), p.Total)
				if p.Elapsed == p.Total {
					p.Stage = StageDraining
				}
				now := r.live.tally.Look()
				p.Calls, p.Errors, p.P99 = now.Calls, now.Errors, now.P99(&before)
				p.Rate = float64(now.Calls-before.Calls) / time.Since(at).Seconds()
				before, at = now, time.Now()
			}
			r.opts.Progress(p)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		wg.Wait()
	})
}
