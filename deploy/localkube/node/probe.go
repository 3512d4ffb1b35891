package node

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/probe"
	grpcprobe "k8s.io/kubernetes/pkg/probe/grpc"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
	tcpprobe "k8s.io/kubernetes/pkg/probe/tcp"
)

// watch probes the container until ctx ends: first for its start, then, together, whether it lives and is ready. What
// makes it unwell is sent; then it is to be restarted.
func (c *container) watch(ctx context.Context, l *life, unwell chan<- string) {
	if hooks := l.spec.Lifecycle; hooks != nil && hooks.PostStart != nil {
		if err := l.hook(ctx, hooks.PostStart); err != nil && ctx.Err() == nil {
			c.pod.event(corev1.EventTypeWarning, "FailedPostStartHook", fmt.Sprintf("PostStartHook failed: %v", err))
			unwell <- "FailedPostStartHook"
			return
		}
	}
	if p := l.spec.StartupProbe; p != nil && !c.starts(ctx, l, p, unwell) {
		return
	}
	c.pod.set(func() {
		if ctx.Err() == nil {
			c.started, c.ready = true, l.spec.ReadinessProbe == nil
			c.upOnce.Do(func() { close(c.up) })
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if p := l.spec.LivenessProbe; p != nil {
			l.follow(ctx, "Liveness", p, true, func(ok bool) bool {
				if !ok {
					unwell <- fmt.Sprintf("Container %s failed liveness probe, will be restarted", c.name)
				}
				return ok
			})
		}
	}()
	if p := l.spec.ReadinessProbe; p != nil {
		l.follow(ctx, "Readiness", p, false, func(ok bool) bool {
			c.pod.set(func() { c.ready = ok && ctx.Err() == nil })
			return true
		})
	}
	<-done
}

// starts waits until the startup probe has succeeded, and reports whether it has.
func (c *container) starts(ctx context.Context, l *life, p *corev1.Probe, unwell chan<- string) bool {
	started := false
	l.follow(ctx, "Startup", p, false, func(ok bool) bool {
		if started = ok; !ok {
			unwell <- fmt.Sprintf("Container %s failed startup probe, will be restarted", c.name)
		}
		return false
	})
	return started && ctx.Err() == nil
}

// follow probes again and again, and calls change when the verdict changes: after as many equal results as the
// thresholds say. It ends with ctx, or when change returns false. A startup probe that fails often enough changes
// nothing yet is told: began is the verdict before the first probe.
func (l *life) follow(ctx context.Context, kind string, p *corev1.Probe, began bool, change func(ok bool) (goOn bool)) {
	if !sleep(ctx, time.Duration(p.InitialDelaySeconds)*time.Second-time.Since(l.process.started)) {
		return
	}
	tick := time.NewTicker(max(time.Duration(p.PeriodSeconds)*time.Second, time.Second))
	defer tick.Stop()
	verdict, told, row, last := began, began, int32(0), began
	for {
		ok, text := l.probe(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if !ok {
			l.container.pod.event(corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", kind, text))
		}
		if ok != last {
			row, last = 0, ok
		}
		row++
		need := max(p.FailureThreshold, 1)
		if ok {
			need = max(p.SuccessThreshold, 1)
		}
		if row == need && (ok != verdict || !ok && !told) {
			verdict, told = ok, true
			if !change(ok) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probe probes once, and gives what there is to say of a failure.
func (l *life) probe(ctx context.Context, p *corev1.Probe) (bool, string) {
	within := max(time.Duration(p.TimeoutSeconds)*time.Second, time.Second)
	result, text, err := l.ask(ctx, p, within)
	if err != nil && text == "" {
		text = err.Error()
	}
	return err == nil && (result == probe.Success || result == probe.Warning), text
}

func (l *life) ask(ctx context.Context, p *corev1.Probe, within time.Duration) (probe.Result, string, error) {
	addr := l.container.pod.address()
	switch {
	case p.HTTPGet != nil:
		req, err := httpprobe.NewRequestForHTTPGetAction(p.HTTPGet, l.spec, addr, "probe")
		if err != nil {
			return probe.Unknown, "", err
		}
		return httpprobe.New(false).Probe(req.WithContext(ctx), within)
	case p.TCPSocket != nil:
		port, err := probe.ResolveContainerPort(p.TCPSocket.Port, l.spec)
		if err != nil {
			return probe.Unknown, "", err
		}
		if p.TCPSocket.Host != "" {
			addr = p.TCPSocket.Host
		}
		return tcpprobe.New().Probe(addr, port, within)
	case p.GRPC != nil:
		service := ""
		if p.GRPC.Service != nil {
			service = *p.GRPC.Service
		}
		return grpcprobe.New().Probe(addr, service, int(p.GRPC.Port), within)
	case p.Exec != nil:
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		text, err := l.exec(ctx, p.Exec.Command)
		return probe.Success, text, err
	default:
		return probe.Unknown, "", fmt.Errorf("the probe says neither httpGet, tcpSocket, grpc nor exec")
	}
}

// execOutput bounds what is kept of the output of a command.
const execOutput = 10 << 10

// exec runs a command beside the container. It and its group are killed when ctx ends. An error has no output in it.
func (l *life) exec(ctx context.Context, argv []string) (string, error) {
	if len(argv) == 0 {
		return "", fmt.Errorf("the command is empty")
	}
	out := &limited{left: execOutput}
	cmd := l.command(argv)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	p, err := startProcess(l.container.pod.agent.spawner, cmd, l.group)
	if err != nil {
		return "", fmt.Errorf("start %s: %w", argv[0], err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		<-p.done
		return "", fmt.Errorf("%s was killed: %w", argv[0], context.Cause(ctx))
	}
	if code, _ := p.exit(); code != 0 {
		return out.String(), fmt.Errorf("%s ended with code %d", argv[0], code)
	}
	return out.String(), nil
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.left)]
	l.left -= len(keep)
	l.Buffer.Write(keep)
	return len(p), nil
}

// address is that of the Pod.
func (p *pod) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr.String()
}
