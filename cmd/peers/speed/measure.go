package speed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// outputFile is where a tool's stdout goes, in the directory that it runs in.
const (
	outputFile = "stdout.txt"
	errorFile  = "stderr.txt"
)

// patienceEnd is how long a tool may take, beyond its time, for its reports.
const patienceEnd = 60 * time.Second

// figures are what was measured of one run of a tool, all but P99 by the same
// means for every tool, from outside, within one window: what it takes to start
// and to report is not in them.
type figures struct {
	Rate   float64       // calls that arrived a second
	Cost   time.Duration // the tool's processor time a call
	P99    time.Duration // as the tool says, over its whole run; 0 where it says none
	Lag    time.Duration // p99 of how late it sent calls, as it says, after the warm-up; 0 where it says nothing
	Memory int64         // bytes, the most up to the window's end
	Conns  int64         // open at the window's end
	Server float64       // part of a processor that the server used
	Others float64       // processors that neither of the two used, nor idled
	// Bunched is the part of the calls that came in bursts, where the rate is fixed.
	Bunched float64
}

// window is what is looked at of a run, after its first call.
type window struct {
	warm, measured time.Duration
	patience       time.Duration // that the first call is waited for
}

// windowTail is what a tool runs on after the window, so that none ends in it.
const windowTail = time.Second

func (w window) lasts() time.Duration { return w.warm + w.measured + windowTail }

// bench is a server with tools run against it.
type bench struct {
	server   *server
	window   window
	cpu      int               // that tools are pinned to; below 0: none
	binaries map[string]string // by peer
	self     []string          // the command line that becomes Engine
	dir      string            // for runs
}

// measure runs the tool once. Whatever is not as it should be is an error:
// there are no figures of a tool that failed.
func (b *bench) measure(ctx context.Context, t *tool, j job) (figures, error) {
	dir, err := os.MkdirTemp(b.dir, "run")
	if err != nil {
		return figures{}, fmt.Errorf("make a directory for %s: %w", t.name, err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // below a directory that goes as a whole
	j.addr, j.lasts, j.warm = b.server.addr, b.window.lasts(), b.window.warm
	b.server.count.bunch.Store(int64(j.bunch()))
	p, err := b.start(ctx, t, j, dir)
	if err != nil {
		return figures{}, err
	}
	before := b.server.count.calls.Load()
	f, err := b.watch(ctx, p, before)
	if err != nil {
		return figures{}, errors.Join(err, p.kill())
	}
	if err := p.end(ctx, t); err != nil {
		return figures{}, err
	}
	arrived := b.server.count.calls.Load() - before
	s, err := t.read(ctx, b.binaries[t.peer], dir)
	if err != nil {
		return figures{}, err
	}
	f.P99, f.Lag = s.p99, s.lag
	return f, s.check(arrived, j)
}

// process is a tool while it runs.
type process struct {
	cmd   *exec.Cmd
	dir   string
	ended chan error
}

func (b *bench) start(ctx context.Context, t *tool, j job, dir string) (*process, error) {
	if t.files != nil {
		for name, text := range t.files(j) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return nil, fmt.Errorf("write what %s reads: %w", t.name, err)
			}
		}
	}
	line := append([]string{b.binaries[t.peer]}, t.args(j)...)
	if t.peer == selfBinary {
		line = append(append([]string{}, b.self...), t.args(j)...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), t.env...)
	stdout, err := os.Create(filepath.Join(dir, outputFile))
	if err != nil {
		return nil, fmt.Errorf("make a file for what %s says: %w", t.name, err)
	}
	defer stdout.Close() //nolint:errcheck // the child has its own
	stderr, err := os.Create(filepath.Join(dir, errorFile))
	if err != nil {
		return nil, fmt.Errorf("make a file for what %s says: %w", t.name, err)
	}
	defer stderr.Close() //nolint:errcheck // the child has its own
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := startOn(cmd, b.cpu); err != nil {
		return nil, fmt.Errorf("start %s: %w", t.name, err)
	}
	p := &process{cmd: cmd, dir: dir, ended: make(chan error, 1)}
	go func() { p.ended <- cmd.Wait() }()
	return p, nil
}

// watch waits for the first call and for what is not measured, and measures.
func (b *bench) watch(ctx context.Context, p *process, before int64) (figures, error) {
	for began := time.Now(); b.server.count.calls.Load() == before; {
		if time.Since(began) > b.window.patience {
			return figures{}, fmt.Errorf("no call arrived within %v: %s", b.window.patience, p.output())
		}
		if err := p.wait(ctx, 2*time.Millisecond, "before its first call"); err != nil {
			return figures{}, err
		}
	}
	if err := p.wait(ctx, b.window.warm, "while it warmed up"); err != nil {
		return figures{}, err
	}
	begin, err := b.look(p)
	if err != nil {
		return figures{}, err
	}
	if err := p.wait(ctx, b.window.measured, "while it was measured"); err != nil {
		return figures{}, err
	}
	end, err := b.look(p)
	if err != nil {
		return figures{}, err
	}
	return begin.to(end)
}

// look is what there is to be read at one instant.
type look struct {
	at                    time.Time
	calls, conns, memory  int64
	bunched               int64
	tool, server, machine time.Duration // processor time
}

func (b *bench) look(p *process) (l look, err error) {
	l.at, l.calls, l.conns = time.Now(), b.server.count.calls.Load(), b.server.count.conns.Load()
	l.bunched = b.server.count.bunched.Load()
	var errs [4]error
	l.tool, errs[0] = processTime(p.cmd.Process.Pid)
	l.server, errs[1] = processTime(b.server.cmd.Process.Pid)
	l.machine, errs[2] = machineTime()
	l.memory, errs[3] = peakMemory(p.cmd.Process.Pid)
	return l, errors.Join(errs[:]...)
}

// to gives the figures of the window between two looks.
func (l look) to(end look) (figures, error) {
	calls, took := end.calls-l.calls, end.at.Sub(l.at)
	if calls == 0 {
		return figures{}, errors.New("no call arrived while it was measured")
	}
	used, served := end.tool-l.tool, end.server-l.server
	return figures{
		Rate:   float64(calls) / took.Seconds(),
		Cost:   used / time.Duration(calls),
		Memory: end.memory,
		Conns:  end.conns,
		Server: served.Seconds() / took.Seconds(),
		Others: max(0, (end.machine-l.machine-used-served).Seconds()/took.Seconds()),

		Bunched: float64(end.bunched-l.bunched) / float64(calls),
	}, nil
}

// wait lets time pass in which the tool must not end.
func (p *process) wait(ctx context.Context, d time.Duration, when string) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-p.ended:
		p.ended <- err
		if err == nil {
			err = errors.New("exit status 0")
		}
		return fmt.Errorf("it ended %s: %w: %s", when, err, p.output())
	}
}

// end waits for the tool to end by itself, as it should.
func (p *process) end(ctx context.Context, t *tool) error {
	timer := time.NewTimer(windowTail + patienceEnd)
	defer timer.Stop()
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) && t.mayEnd(exit.ExitCode()) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it ended with %w: %s", err, p.output())
		}
		return nil
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), p.kill())
	case <-timer.C:
		return errors.Join(fmt.Errorf("it did not end within %v of its time: %s", patienceEnd, p.output()), p.kill())
	}
}

// kill ends the tool, if it has not ended, and waits for that.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end a tool: %w", err)
	}
	<-p.ended //nolint:errcheck // it was killed
	return nil
}

// output is the end of what the tool wrote, errors first.
func (p *process) output() string {
	if text := tail(filepath.Join(p.dir, errorFile)); text != "" {
		return text
	}
	return tail(filepath.Join(p.dir, outputFile))
}
