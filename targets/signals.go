package targets

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"ordeal/runner/evidence"
)

// stopWithin bounds the wait for a process that was sent SIGSTOP.
const stopWithin = 5 * time.Second

// signal sends a signal to the group of the process, and gives the life that it
// was sent to: nil where the process does not run, or has died just now. ends
// says that the signal is meant to end it.
func (p *Process) signal(sig syscall.Signal, ends bool) (*life, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.life
	if l == nil || !l.runs() {
		return nil, nil
	}
	if err := syscall.Kill(-l.cmd.Process.Pid, sig); errors.Is(err, syscall.ESRCH) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("send it %v: %w", sig, err)
	}
	l.expected = l.expected || ends
	return l, nil
}

// Kill ends the process and its group at once, as a crash would, and waits for
// it. Killing what does not run is an error.
func (p *Process) Kill(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	l, err := p.signal(syscall.SIGKILL, true)
	if err == nil && l == nil {
		err = errExited
	}
	if err != nil {
		return err
	}
	return l.await(ctx)
}

// Terminate asks the process to end (SIGTERM) and waits until it has. One that
// outstays the target's grace is killed, and that is an error; so is
// terminating what does not run.
func (p *Process) Terminate(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	return p.terminate(ctx)
}

func (p *Process) terminate(ctx context.Context) error {
	l, err := p.signal(syscall.SIGTERM, true)
	if err != nil {
		return err
	}
	if l == nil {
		return errExited
	}
	var why error
	select {
	case <-l.told:
		return nil
	case <-ctx.Done():
		why = fmt.Errorf("it was killed: %w", context.Cause(ctx))
	case <-time.After(p.spec.Grace):
		why = fmt.Errorf("still there %v after SIGTERM, so it was killed", p.spec.Grace)
	}
	killed, err := p.signal(syscall.SIGKILL, true)
	if err == nil && killed == nil {
		why = nil // it has ended after all
	}
	// The wait for a killed process is short and must not be cut by the same ctx.
	return errors.Join(why, err, l.await(context.WithoutCancel(ctx)))
}

// Pause stops the process and its group (SIGSTOP) and returns once the process
// stands still.
func (p *Process) Pause() error {
	l, err := p.signal(syscall.SIGSTOP, false)
	if err == nil && l == nil {
		err = errExited
	}
	if err == nil {
		err = p.awaitStop(l)
	}
	if err != nil {
		return err
	}
	p.launcher.event(evidence.Event{Kind: evidence.TargetPaused, Target: p.name})
	return nil
}

// awaitStop waits until no thread of the process runs any more.
func (p *Process) awaitStop(l *life) error {
	pid := l.cmd.Process.Pid
	for deadline := time.Now().Add(stopWithin); !stopped(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			_, err := p.signal(syscall.SIGCONT, false)
			return errors.Join(fmt.Errorf("pid %d still runs %v after SIGSTOP", pid, stopWithin), err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.runs() { // what is dead stands still, too
		return errExited
	}
	l.paused = true
	return nil
}

// Resume lets it go on (SIGCONT). One that has ended meanwhile is left at that:
// its end is an event of its own, and nothing stands still.
func (p *Process) Resume() error {
	l, err := p.signal(syscall.SIGCONT, false)
	if err != nil {
		return err
	}
	if l == nil {
		return nil
	}
	p.mu.Lock()
	l.paused = false
	p.mu.Unlock()
	p.launcher.event(evidence.Event{Kind: evidence.TargetResumed, Target: p.name})
	return nil
}

// stop ends the process at the end of a run, whatever its state, and returns
// once its end was told.
func (p *Process) stop(ctx context.Context) error {
	p.ops.Lock()
	defer p.ops.Unlock()
	l := p.last()
	if l == nil {
		return nil
	}
	p.mu.Lock()
	paused := l.paused && !l.ended
	p.mu.Unlock()
	var errs []error
	if paused { // SIGTERM reaches it only when it runs
		errs = append(errs, p.Resume())
	}
	if err := p.terminate(ctx); err != nil && !errors.Is(err, errExited) {
		errs = append(errs, err)
	} else {
		errs = append(errs, l.await(ctx))
	}
	return errors.Join(errs...)
}
