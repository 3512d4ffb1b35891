package targets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ordeal/runner/evidence"
)

// Process is one replica of a target that Ordeal started. It keeps its address
// over restarts.
type Process struct {
	name     string
	spec     *Spec
	launcher *Launcher
	calls    map[string][]string
	out      *output

	ops sync.Mutex // one change of state at a time: start, kill, terminate

	mu    sync.Mutex
	addr  string // "" until the first start of a reference service
	admin string // of a reference service
	life  *life  // the present one, or the last; nil before the first
}

// Name is "users", or "users/1" where there are several replicas.
func (p *Process) Name() string { return p.name }

// Addr is the address that it listens on.
func (p *Process) Addr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// PID is its process id, 0 while it does not run.
func (p *Process) PID() int {
	if l := p.living(); l != nil {
		return l.cmd.Process.Pid
	}
	return 0
}

// living is the present life, nil while it does not run.
func (p *Process) living() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil || p.life.ended {
		return nil
	}
	return p.life
}

// last is the present life or the last one, nil before the first.
func (p *Process) last() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life
}

// Start starts it on its address and waits until it is ready. Like those of all
// methods, its errors leave it to the caller to name the process.
func (p *Process) Start(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	if p.living() != nil {
		return errors.New("it runs already")
	}
	within := readyWithin(p.spec)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := p.maySpawn(ctx); err != nil {
		return err
	}
	line := p.out.expect(readyLine(p.spec))
	l, err := p.spawn()
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, line, l.told, within); err != nil {
		return err
	}
	at := p.launcher.cfg.Clock.Now()
	if p.spec.Kind() == KindCommand {
		// What answered may have been another program that took the address first.
		if err := p.settled(ctx, l); err != nil {
			return err
		}
	}
	p.launcher.eventAt(at, evidence.Event{Kind: evidence.TargetReady, Target: p.name, Text: p.Addr()})
	return nil
}

// maySpawn waits until nothing of an earlier life is in the way of a new one.
func (p *Process) maySpawn(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if last := p.last(); last != nil { // it is dead, but its end may not be told yet
		if err := last.await(ctx); err != nil {
			return err
		}
	}
	if p.spec.Kind() == KindCommand {
		return awaitFree(ctx, p.Addr())
	}
	return nil
}

// settled waits a moment and sees whether the process still runs.
func (p *Process) settled(ctx context.Context, l *life) error {
	select {
	case <-l.told:
	case <-time.After(settle):
	case <-ctx.Done():
	}
	p.mu.Lock()
	runs := l.runs()
	p.mu.Unlock()
	if runs {
		return nil
	}
	<-l.told // soon: it is dead
	return p.earlyExit()
}

func (p *Process) waitReady(ctx context.Context, line <-chan string, exited <-chan struct{}, within time.Duration) error {
	if waitsForLine(p.spec) {
		select {
		case text := <-line:
			if err := p.readAddrs(text); err != nil {
				return err
			}
		case <-exited:
			return p.earlyExit()
		case <-ctx.Done():
			return fmt.Errorf("%w; its last output:\n%s", notReady(ctx, within, errNoLine), p.out.last())
		}
	}
	err := waitReady(ctx, within, p.Healthy, exited)
	if errors.Is(err, errExited) {
		return p.earlyExit()
	}
	if err != nil {
		return fmt.Errorf("%w; its last output:\n%s", err, p.out.last())
	}
	return nil
}

func (p *Process) earlyExit() error {
	return fmt.Errorf("it ended before it was ready; its last output:\n%s", p.out.last())
}

func (p *Process) readAddrs(text string) error {
	if p.spec.Kind() != KindReference {
		return nil
	}
	m := referenceReady.FindStringSubmatch(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addr, p.admin = m[1], m[2]
	return nil
}

func (p *Process) command() *exec.Cmd {
	argv := p.argv()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = os.Environ()
	fill := p.filler()
	for k, v := range p.spec.Env {
		cmd.Env = append(cmd.Env, k+"="+fill(v))
	}
	cmd.Env = append(cmd.Env, p.launcher.marker)
	if p.spec.Kind() == KindCommand {
		cmd.Dir = p.spec.Workdir
		if !filepath.IsAbs(cmd.Dir) {
			cmd.Dir = filepath.Join(p.launcher.cfg.BaseDir, cmd.Dir)
		}
	}
	return cmd
}

func (p *Process) argv() []string {
	if p.spec.Kind() == KindReference {
		return p.referenceArgv()
	}
	fill := p.filler()
	argv := make([]string, len(p.spec.Command))
	for i, arg := range p.spec.Command {
		argv[i] = fill(arg)
	}
	return argv
}

// filler gives what fills in the placeholders of a text.
func (p *Process) filler() func(text string) string {
	host, port, _ := net.SplitHostPort(p.Addr())
	values := map[string]string{"addr": p.Addr(), "host": host, "port": port}
	for name, addrs := range p.calls {
		values["calls."+name] = strings.Join(addrs, ",")
	}
	return func(text string) string {
		return placeholder.ReplaceAllStringFunc(text, func(m string) string { return values[m[2:len(m)-1]] })
	}
}

func (p *Process) commandLine() string {
	argv := p.argv()
	argv[0] = filepath.Base(argv[0])
	return strings.Join(argv, " ")
}

// Healthy asks whether it is ready to take load.
func (p *Process) Healthy(ctx context.Context) error {
	p.mu.Lock()
	running, admin, addr := p.life != nil && !p.life.ended, p.admin, p.addr
	p.mu.Unlock()
	switch {
	case !running:
		return errExited
	case p.spec.Kind() == KindReference:
		return probeHTTP(ctx, "http://"+admin+"/readyz")
	default:
		return probe(ctx, p.spec, addr)
	}
}

func (p *Process) metricsURL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.spec.Kind() == KindReference:
		return "http://" + p.admin + "/metrics"
	case p.spec.Metrics != "":
		return p.spec.onAddr(p.addr, p.spec.Metrics)
	default:
		return ""
	}
}
