package kubernetes

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The times of a control plane of the run's own.
const (
	// readyWithin bounds its start; a machine that is busy takes several times the
	// usual 5 s.
	readyWithin = 90 * time.Second
	// endWithin bounds its end in good order, and killWithin that after SIGTERM.
	endWithin  = 20 * time.Second
	killWithin = 10 * time.Second
)

// plane is a control plane of the run's own: a process that has its own in turn,
// and ends them with itself.
type plane struct {
	kubeconfig string
	dir        string // its state, which it takes away itself
	logs       string // where its logs are kept; "" keeps none

	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when it has ended
	err   error         // how; valid then

	mu      sync.Mutex
	closing bool // its end is wanted
}

// startPlane starts localkube with arguments and waits until it is ready. If it
// ends before close, lost is called with the reason.
func startPlane(ctx context.Context, program string, args []string, logs string, lost func(error)) (*plane, error) {
	dir, err := os.MkdirTemp("", "ordeal-kubernetes-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the control plane: %w", err)
	}
	p := &plane{dir: dir, logs: logs, ended: make(chan struct{})}
	line, err := p.start(program, args, lost)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", program, err), os.RemoveAll(dir))
	}
	if err := p.awaitReady(ctx, line); err != nil {
		return nil, errors.Join(err, p.close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

// start starts the process; the channel gets the first line of its output, or is
// closed when there is none.
func (p *plane) start(program string, args []string, lost func(error)) (<-chan string, error) {
	log, err := p.logFile()
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the process has its own handle
	p.cmd = exec.Command(program, append([]string{"up", "--foreground", "--until-stdin-closes", "--dir", p.dir}, args...)...)
	p.cmd.Stderr = log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("pipe to it: %w", err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from it: %w", err)
	}
	p.cmd.Stdout = in
	err = spawn(p.cmd, func(err error) {
		p.mu.Lock()
		wanted := p.closing
		p.err = err
		p.mu.Unlock()
		close(p.ended)
		if !wanted && lost != nil {
			lost(fmt.Errorf("the control plane has ended in the middle of the run: %v", p.cmd.ProcessState))
		}
	})
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	first := make(chan string, 1)
	go func() {
		defer out.Close() //nolint:errcheck // it was only read
		defer close(first)
		lines := bufio.NewReader(out)
		if text, err := lines.ReadString('\n'); err == nil {
			first <- text
		}
		_, _ = io.Copy(io.Discard, lines) // ends with the process
	}()
	return first, nil
}

// logFile is where what the process says goes.
func (p *plane) logFile() (*os.File, error) {
	dir := p.logs
	if dir == "" {
		dir = p.dir + ".log"
		f, err := os.Create(dir)
		if err == nil {
			err = os.Remove(dir) // nobody reads it but who has it open
		}
		return f, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory for logs of the control plane: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, programName+".log"))
	if err != nil {
		return nil, fmt.Errorf("keep the log of the control plane: %w", err)
	}
	return f, nil
}

// awaitReady waits for the line that says that it is ready.
func (p *plane) awaitReady(ctx context.Context, line <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	select {
	case text, ok := <-line:
		if !ok {
			return fmt.Errorf("the control plane has ended before it was ready:%s", p.lastWords())
		}
		var ready struct {
			Ready      bool   `json:"ready"`
			Kubeconfig string `json:"kubeconfig"`
		}
		if err := json.Unmarshal([]byte(text), &ready); err != nil || !ready.Ready {
			return fmt.Errorf("the control plane says %q, not that it is ready", strings.TrimSpace(text))
		}
		p.kubeconfig = ready.Kubeconfig
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Cause(ctx)
		}
		return fmt.Errorf("the control plane is not ready within %v:%s", readyWithin, p.lastWords())
	}
}

// lastWords is the end of what the process has said.
func (p *plane) lastWords() string {
	if p.logs == "" {
		return " it says nothing"
	}
	text, err := tail(filepath.Join(p.logs, programName+".log"), 2<<10)
	if err != nil || len(text) == 0 {
		return " it says nothing"
	}
	return "\n" + strings.TrimSpace(string(text))
}

// close ends the control plane with all that runs on it, after its logs were
// kept. It is bounded in time.
func (p *plane) close(context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	errs := []error{p.keepLogs()}
	_ = p.stdin.Close() // fails only where it was closed already
	for _, step := range []struct {
		signal syscall.Signal
		within time.Duration
	}{{0, endWithin}, {syscall.SIGTERM, killWithin}, {syscall.SIGKILL, killWithin}} {
		if step.signal != 0 {
			errs = append(errs, fmt.Errorf("the control plane has not ended in time: it was sent %v", step.signal))
			_ = syscall.Kill(-p.cmd.Process.Pid, step.signal) // it may have ended just now
		}
		select {
		case <-p.ended:
			p.mu.Lock()
			defer p.mu.Unlock()
			var exit *exec.ExitError
			if p.err != nil && len(errs) == 1 && !errors.As(p.err, &exit) {
				errs = append(errs, fmt.Errorf("end the control plane: %w", p.err))
			}
			return errors.Join(append(errs, os.RemoveAll(p.dir))...)
		case <-time.After(step.within):
		}
	}
	return errors.Join(errs...)
}
