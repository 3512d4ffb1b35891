package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ordeal/deploy/localkube/cgroup"
)

// lastChance is what a process has at least after SIGTERM, also when what was to be done before took all the grace.
const lastChance = 2 * time.Second

// messageBytes of what a container wrote last are shown when it failed.
const messageBytes = 2048

// life is a container from the start of its process to its end.
type life struct {
	container *container
	spec      *corev1.Container
	env       []string
	dir       string
	process   *process
	group     *cgroup.Group // of its processes; nil without a limit of CPU, or where limits do not hold
	logged    int64         // bytes of the log that were there before
}

// Why a container waits that could not be started.
const (
	reasonImage  = "ErrImagePull"
	reasonConfig = "CreateContainerConfigError"
	reasonRun    = "RunContainerError"
)

// startError is an error with the reason that the status shows.
type startError struct {
	reason string
	err    error
}

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

func startReason(err error) string {
	if e, ok := errors.AsType[*startError](err); ok {
		return e.reason
	}
	return reasonRun
}

// begin starts the process of the container.
func (c *container) begin() (*life, error) {
	l := &life{container: c, spec: c.spec(), dir: c.pod.dir}
	env, err := c.environment(l.spec)
	if err != nil {
		return nil, &startError{reasonConfig, err}
	}
	l.env = env.list()
	argv, err := c.argv(l.spec, env)
	if err != nil {
		return nil, &startError{reasonImage, err}
	}
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep its output: %w", err)
	}
	defer log.Close() //nolint:errcheck // the process has it
	if info, err := log.Stat(); err == nil {
		l.logged = info.Size()
	}
	cmd := l.command(argv)
	cmd.Stdout, cmd.Stderr = log, log
	if l.group, err = c.limited(l.spec); err != nil {
		return nil, fmt.Errorf("limit its CPU: %w", err)
	}
	if l.process, err = startProcess(c.pod.agent.spawner, cmd, l.group); err != nil {
		l.ungroup()
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return l, nil
}

// command is a command in the surroundings of the container.
func (l *life) command(argv []string) *exec.Cmd {
	cmd := &exec.Cmd{Path: argv[0], Args: argv, Env: l.env, Dir: l.dir}
	if l.spec.WorkingDir != "" {
		cmd.Dir = l.spec.WorkingDir
	}
	if !strings.Contains(argv[0], "/") {
		path, err := exec.LookPath(argv[0])
		cmd.Path, cmd.Err = path, err
	}
	return cmd
}

// live stays with the container until its process has ended.
func (c *container) live(l *life) {
	c.pod.event(corev1.EventTypeNormal, "Started", "Started container "+c.name)
	c.pod.set(func() {
		if c.state.Terminated != nil {
			c.last = c.state
		}
		c.id = fmt.Sprintf("localkube://%d", l.process.pid)
		c.image = l.spec.Image
		c.started, c.ready = false, false
		c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(l.process.started)}}
	})
	ctx, cancel := context.WithCancel(c.pod.now)
	unwell := make(chan string, 2)
	go c.watch(ctx, l, unwell) // it may outlast ctx by a probe, and changes nothing then
	select {
	case <-l.process.done:
	case why := <-unwell:
		cancel()
		c.pod.set(func() { c.ready = false })
		l.end(l.grace(true), why)
	case <-c.stop:
		cancel()
		l.end(l.grace(false), "Stopping container "+c.name)
	}
	<-l.process.done
	cancel()
	ended := l.terminated()
	c.pod.set(func() { c.started, c.ready, c.state = false, false, ended })
	l.ungroup()
}

// grace is how long the process has to end. Being unwell can have a grace of its own.
func (l *life) grace(unwell bool) time.Duration {
	p := l.container.pod
	p.mu.Lock()
	defer p.mu.Unlock()
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if p.obj.Spec.TerminationGracePeriodSeconds != nil {
		seconds = *p.obj.Spec.TerminationGracePeriodSeconds
	}
	if probe := l.spec.LivenessProbe; unwell && probe != nil && probe.TerminationGracePeriodSeconds != nil {
		seconds = *probe.TerminationGracePeriodSeconds
	}
	if p.deleting {
		seconds = p.grace
	}
	return time.Duration(seconds) * time.Second
}

// end ends the process: the preStop hook, SIGTERM, and SIGKILL for the whole group when the grace is over. It kills at
// once when the Pod has no time left.
func (l *life) end(grace time.Duration, why string) {
	p := l.container.pod
	p.event(corev1.EventTypeNormal, "Killing", why)
	deadline := time.Now().Add(grace)
	if hooks := l.spec.Lifecycle; hooks != nil && hooks.PreStop != nil && grace > 0 {
		ctx, cancel := context.WithDeadline(p.now, deadline)
		if err := l.hook(ctx, hooks.PreStop); err != nil && p.now.Err() == nil && !l.dead() {
			p.event(corev1.EventTypeWarning, "FailedPreStopHook", fmt.Sprintf("PreStopHook failed: %v", err))
		}
		cancel()
		if left := time.Now().Add(lastChance); deadline.Before(left) {
			deadline = left
		}
	}
	if p.now.Err() == nil && grace > 0 {
		l.process.signal(syscall.SIGTERM)
		select {
		case <-l.process.done:
			return
		case <-time.After(time.Until(deadline)):
		case <-p.now.Done():
		}
	}
	l.process.kill()
	<-l.process.done
}

func (l *life) dead() bool {
	select {
	case <-l.process.done:
		return true
	default:
		return false
	}
}

// terminated is the state after the end.
func (l *life) terminated() corev1.ContainerState {
	code, signal := l.process.exit()
	t := &corev1.ContainerStateTerminated{ExitCode: code, Signal: signal, Reason: "Completed", ContainerID: fmt.Sprintf("localkube://%d", l.process.pid),
		StartedAt: metav1.NewTime(l.process.started), FinishedAt: metav1.NewTime(l.process.ended)}
	if code != 0 {
		t.Reason, t.Message = "Error", tail(l.container.logFile(), l.logged, messageBytes)
	}
	return corev1.ContainerState{Terminated: t}
}

// tail gives the last n bytes of a file after the first ones, or fewer, from the start of a line where there is one. It
// is for people: there is no error.
func tail(file string, after, n int64) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(after, info.Size()-n)
	text := make([]byte, max(0, info.Size()-from))
	read, _ := f.ReadAt(text, from)
	out := string(text[:read])
	if from > after {
		if _, rest, ok := strings.Cut(out, "\n"); ok && rest != "" {
			out = rest
		}
	}
	return strings.ToValidUTF8(out, "�")
}
