package targets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ordeal/runner/evidence"
	"ordeal/targets/spawn"
)

// Launcher starts targets for one run and ends them all.
type Launcher struct {
	cfg     Config
	marker  string // in the environment of every process that is started
	guard   *guard
	spawner *spawn.Spawner

	mu      sync.Mutex
	targets []*Target
}

// Config is what a Launcher needs to know of the run.
type Config struct {
	Self    []string // the command line that runs Ordeal itself, to start reference services and the guard
	LogDir  string   // where the output of targets is kept; "" keeps none
	BaseDir string   // what a command's workdir is relative to
	Clock   evidence.Clock
	Sink    evidence.Sink

	// Abort is called, from a goroutine of the launcher, when a run must not go on:
	// what ends its targets if Ordeal is killed is itself gone. A
	// context.CancelCauseFunc fits. Where it is nil, Close says so.
	Abort func(error)
}

// NewLauncher starts the guard. The caller must Close the launcher.
func NewLauncher(cfg Config) (*Launcher, error) {
	marker := newMarker()
	g, err := startGuard(cfg.Self, marker, cfg.Abort)
	if err != nil {
		return nil, err
	}
	return &Launcher{cfg: cfg, marker: marker, guard: g, spawner: spawn.New()}, nil
}

// Target is a target that was started, or an external one.
type Target struct {
	Spec  *Spec
	procs []*Process // empty for an external target
	addr  string     // of an external target
}

// Start starts every replica of spec and waits until all are ready. calls gives
// the addresses for each name in spec.Calls. When it fails, what was started is
// ended by Close.
func (l *Launcher) Start(ctx context.Context, spec *Spec, calls map[string][]string) (*Target, error) {
	t := &Target{Spec: spec}
	l.mu.Lock()
	l.targets = append(l.targets, t)
	l.mu.Unlock()
	if !spec.Started() {
		addr, err := externalAddr(spec.External)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", spec.Name, err)
		}
		t.addr = addr
		if err := waitReady(ctx, readyWithin(spec), func(ctx context.Context) error { return t.Healthy(ctx) }, nil); err != nil {
			return nil, fmt.Errorf("target %s does not answer at %s: %w", spec.Name, addr, err)
		}
		l.event(evidence.Event{Kind: evidence.TargetReady, Target: spec.Name, Text: addr})
		return t, nil
	}
	for i := range spec.Replicas {
		p, err := l.newProcess(spec, i, calls)
		if err != nil {
			return nil, err
		}
		t.procs = append(t.procs, p)
	}
	return t, t.start(ctx)
}

// errReplica is why a replica is no longer waited for.
var errReplica = errors.New("another replica did not start")

// start starts all replicas at once. The first that fails ends the wait for the
// others.
func (t *Target) start(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(t.procs))
	var wg sync.WaitGroup
	for i, p := range t.procs {
		wg.Go(func() {
			if err := p.Start(ctx); err != nil && !errors.Is(err, errReplica) {
				errs[i] = fmt.Errorf("start %s: %w", p.Name(), err)
				cancel(errReplica)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (l *Launcher) newProcess(spec *Spec, i int, calls map[string][]string) (*Process, error) {
	name := spec.Name
	if spec.Replicas > 1 {
		name = fmt.Sprintf("%s/%d", spec.Name, i+1)
	}
	log := ""
	if l.cfg.LogDir != "" {
		log = filepath.Join(l.cfg.LogDir, strings.ReplaceAll(name, "/", "-")+".log")
	}
	out, err := newOutput(log)
	if err != nil {
		return nil, err
	}
	p := &Process{name: name, spec: spec, launcher: l, calls: calls, out: out}
	if spec.Kind() == KindCommand {
		if p.addr, err = listenAddr(spec); err != nil {
			return nil, errors.Join(err, out.close())
		}
	}
	return p, nil
}

func (l *Launcher) event(e evidence.Event) { l.eventAt(l.cfg.Clock.Now(), e) }

func (l *Launcher) eventAt(at time.Duration, e evidence.Event) {
	e.At = at
	l.cfg.Sink.Event(e)
}

// Close ends every target, callers before what they call, then what they left
// behind outside their groups, then the guard. It is bounded by each target's
// grace.
func (l *Launcher) Close(ctx context.Context) error {
	l.mu.Lock()
	targets := l.targets
	l.targets = nil
	l.mu.Unlock()
	var errs []error
	for _, t := range slices.Backward(targets) {
		errs = append(errs, t.stop(ctx))
	}
	l.spawner.Close()
	for _, line := range sweep(l.marker) {
		l.event(evidence.Event{Kind: evidence.Note, Text: "a process that a target had left in the background was killed: " + line})
	}
	errs = append(errs, l.guard.close())
	return errors.Join(errs...)
}

func (t *Target) stop(ctx context.Context) error {
	errs := make([]error, len(t.procs))
	var wg sync.WaitGroup
	for i, p := range t.procs {
		wg.Go(func() {
			if err := errors.Join(p.stop(ctx), p.out.close()); err != nil {
				errs[i] = fmt.Errorf("stop %s: %w", p.Name(), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Name is the target's name in the scenario.
func (t *Target) Name() string { return t.Spec.Name }

// Addrs gives the address of every replica.
func (t *Target) Addrs() []string {
	if len(t.procs) == 0 {
		return []string{t.addr}
	}
	addrs := make([]string, len(t.procs))
	for i, p := range t.procs {
		addrs[i] = p.Addr()
	}
	return addrs
}

// Processes gives the processes of a target that Ordeal started.
func (t *Target) Processes() []*Process { return t.procs }

// Healthy asks every replica whether it is ready; nil when all are.
func (t *Target) Healthy(ctx context.Context) error {
	if len(t.procs) == 0 {
		return probe(ctx, t.Spec, t.addr)
	}
	var errs []error
	for _, p := range t.procs {
		if err := p.Healthy(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// MetricsURLs gives where the metrics of each replica are, by its name.
func (t *Target) MetricsURLs() map[string]string {
	urls := map[string]string{}
	if len(t.procs) == 0 {
		if t.Spec.Metrics != "" {
			urls[t.Spec.Name] = t.Spec.onAddr(t.addr, t.Spec.Metrics)
		}
		return urls
	}
	for _, p := range t.procs {
		if url := p.metricsURL(); url != "" {
			urls[p.Name()] = url
		}
	}
	return urls
}

// Meta describes the target for the evidence.
func (t *Target) Meta() evidence.TargetMeta {
	m := evidence.TargetMeta{
		Name: t.Spec.Name, Kind: t.Spec.Kind(), Replicas: max(1, len(t.procs)), Addrs: t.Addrs(), Settings: maps.Clone(t.Spec.Tuning),
	}
	if len(t.procs) > 0 {
		m.Command = t.procs[0].commandLine()
	}
	return m
}
