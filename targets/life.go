package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"ordeal/runner/evidence"
)

const (
	// reapWithin bounds the wait for a process that is to be dead: only one that
	// is stuck in the kernel takes longer.
	reapWithin = 10 * time.Second
	// drainWithin bounds the reading of what a dead process has written. The
	// kernel hands that over at once; only a process outside the group that was
	// given the output, too, keeps it open.
	drainWithin = time.Second
)

// life is one run of a process, from its start to its end.
type life struct {
	cmd    *exec.Cmd
	output *os.File      // the reading end of its output
	copied chan struct{} // closed when its output is no longer read
	told   chan struct{} // closed when it was reaped and its end is in the evidence

	// The rest is guarded by Process.mu.
	ended    bool // it is dead; its id must not be used any more
	expected bool // the harness sent the signal to end it while it lived
	paused   bool
}

// runs reports whether it is not dead. Process.mu must be held: while it is, a
// process that runs is not reaped, and its id stays its own.
func (l *life) runs() bool { return !l.ended && !hasEnded(l.cmd.Process.Pid) }

// spawn forks the process and sees to its end.
func (p *Process) spawn() (*life, error) {
	cmd := p.command()
	// The output goes through a pipe of ours, not a file, so that a line can be
	// waited for; and not through one of cmd's, so that the end of the process is
	// seen at once, whoever else holds the pipe.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe for its output: %w", err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := p.launcher.spawner.Start(cmd); err != nil {
		return nil, errors.Join(err, write.Close(), read.Close())
	}
	l := &life{cmd: cmd, output: read, copied: make(chan struct{}), told: make(chan struct{})}
	closeErr := write.Close()
	guardErr := p.launcher.guard.add(cmd.Process.Pid)
	p.mu.Lock()
	p.life = l
	p.mu.Unlock()
	p.launcher.event(evidence.Event{Kind: evidence.TargetStart, Target: p.name, Text: p.commandLine()})
	go func() {
		defer close(l.copied)
		_, _ = io.Copy(p.out, read) // ends with the pipe, or with drain's deadline
	}()
	go p.reap(l)
	return l, errors.Join(closeErr, guardErr)
}

// reap waits for the end of a life, ends what is left of its group and tells.
// What the harness does after the death must not pass for its cause, so the
// time and whether it was expected are taken first.
func (p *Process) reap(l *life) {
	err := awaitEnd(l.cmd)
	at := p.launcher.cfg.Clock.Now()
	p.mu.Lock()
	l.ended = true
	expected := l.expected
	p.mu.Unlock()
	pgid := l.cmd.Process.Pid
	_ = syscall.Kill(-pgid, syscall.SIGKILL) // ESRCH is the usual answer: nothing was left
	if l.cmd.ProcessState == nil {
		err = l.cmd.Wait()
	}
	dropErr := p.launcher.guard.drop(pgid)
	l.drain()
	p.launcher.eventAt(at, evidence.Event{
		Kind: evidence.TargetExit, Target: p.name, Expected: expected, Text: exitText(l.cmd, err, dropErr) + "\n" + p.out.last(),
	})
	close(l.told)
}

// drain reads what the dead process still had to say, and closes the pipe.
func (l *life) drain() {
	_ = l.output.SetReadDeadline(time.Now().Add(drainWithin)) // a pipe takes deadlines
	<-l.copied
	_ = l.output.Close() // it was only read
}

// await waits until the end of the life was told.
func (l *life) await(ctx context.Context) error {
	select {
	case <-l.told:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for its end: %w", context.Cause(ctx))
	case <-time.After(reapWithin):
		return fmt.Errorf("the end of pid %d was not seen within %v", l.cmd.Process.Pid, reapWithin)
	}
}

func exitText(cmd *exec.Cmd, err, dropErr error) string {
	text := "unknown exit status"
	if cmd.ProcessState != nil {
		text = cmd.ProcessState.String()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		text += "; " + err.Error()
	}
	if dropErr != nil {
		text += "; " + dropErr.Error()
	}
	return text
}
