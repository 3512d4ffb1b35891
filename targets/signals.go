package targets

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"ordeal/runner/evidence"
)

// reapWithin bounds the wait for a process that was sent SIGKILL: only one that
// is stuck in the kernel takes longer.
const reapWithin = 10 * time.Second

// stopWithin bounds the wait for a process that was sent SIGSTOP.
const stopWithin = 5 * time.Second

// running returns the running command and the channel that is closed at its end.
func (p *Process) running() (*exec.Cmd, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd, p.exited
}

// expectExit notes that the harness ends the process, and returns what runs.
func (p *Process) expectExit() (*exec.Cmd, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = p.cmd != nil
	return p.cmd, p.exited
}

func signalGroup(cmd *exec.Cmd, sig syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return nil // it has just ended
	}
	return err
}

// Kill ends the process and its group at once, as a crash would, and waits for
// it. Killing what does not run is an error.
func (p *Process) Kill(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	cmd, exited := p.expectExit()
	if cmd == nil {
		return fmt.Errorf("kill %s: it does not run", p.name)
	}
	return p.kill(ctx, cmd, exited)
}

func (p *Process) kill(ctx context.Context, cmd *exec.Cmd, exited <-chan struct{}) error {
	if err := signalGroup(cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of %s: %w", p.name, ctx.Err())
	case <-time.After(reapWithin):
		return fmt.Errorf("%s (pid %d) is still there %v after SIGKILL", p.name, cmd.Process.Pid, reapWithin)
	}
}

// Terminate asks the process to end (SIGTERM) and waits until it has. One that
// outstays the target's grace is killed, and that is an error.
func (p *Process) Terminate(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	return p.terminate(ctx)
}

func (p *Process) terminate(ctx context.Context) error {
	cmd, exited := p.expectExit()
	if cmd == nil {
		return fmt.Errorf("terminate %s: it does not run", p.name)
	}
	if err := signalGroup(cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("terminate %s: %w", p.name, err)
	}
	var why error
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
		why = ctx.Err()
	case <-time.After(p.spec.Grace):
		why = fmt.Errorf("still there %v after SIGTERM, so it was killed", p.spec.Grace)
	}
	// The wait for a killed process is short and must not be cut by the same ctx.
	return errors.Join(fmt.Errorf("terminate %s: %w", p.name, why), p.kill(context.WithoutCancel(ctx), cmd, exited))
}

// Pause stops the process and its group (SIGSTOP) and returns once the process
// stands still.
func (p *Process) Pause() error {
	return p.setPaused(true, syscall.SIGSTOP, evidence.TargetPaused)
}

// awaitStop waits until no thread of the process runs any more.
func (p *Process) awaitStop(pid int) error {
	for deadline := time.Now().Add(stopWithin); !stopped(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s (pid %d) still runs %v after SIGSTOP", p.name, pid, stopWithin)
		}
	}
	return nil
}

// Resume lets it go on (SIGCONT).
func (p *Process) Resume() error {
	return p.setPaused(false, syscall.SIGCONT, evidence.TargetResumed)
}

func (p *Process) setPaused(paused bool, sig syscall.Signal, kind evidence.Kind) error {
	cmd, _ := p.running()
	if cmd == nil {
		return fmt.Errorf("send %v to %s: it does not run", sig, p.name)
	}
	if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil {
		return fmt.Errorf("send %v to %s: %w", sig, p.name, err)
	}
	if paused {
		if err := p.awaitStop(cmd.Process.Pid); err != nil {
			return errors.Join(err, syscall.Kill(-cmd.Process.Pid, syscall.SIGCONT))
		}
	}
	p.mu.Lock()
	p.paused = paused
	p.mu.Unlock()
	p.launcher.event(evidence.Event{Kind: kind, Target: p.name})
	return nil
}

// stop ends the process at the end of a run, whatever its state.
func (p *Process) stop(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	cmd, _ := p.running()
	if cmd == nil {
		return nil
	}
	p.mu.Lock()
	paused := p.paused
	p.mu.Unlock()
	if paused { // SIGTERM reaches it only when it runs
		if err := p.Resume(); err != nil {
			return err
		}
	}
	return p.terminate(ctx)
}
