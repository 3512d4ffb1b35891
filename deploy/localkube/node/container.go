package node

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A container that ends again and again waits longer and longer, as with the kubelet, which begins with 10 s, ends with
// 5 min and forgets after 10 min.
const (
	backOffFirst = time.Second
	backOffMost  = time.Minute
	backOffReset = 2 * time.Minute
)

// backOff is how long the next restart waits. The first one does not.
type backOff struct{ next time.Duration }

// after is the wait after a life that lasted ran.
func (b *backOff) after(ran time.Duration) time.Duration {
	if ran >= backOffReset {
		b.next = 0
	}
	wait := b.next
	b.next = min(max(2*wait, backOffFirst), backOffMost)
	return wait
}

// container is a container of a Pod: a process, and after its end perhaps another one.
type container struct {
	pod     *pod
	name    string
	initial bool
	sidecar bool
	stop    <-chan struct{} // closed when it is to end
	up      chan struct{}   // closed when it has started for the first time
	upOnce  sync.Once

	// Of the status; guarded by the Pod's mu.
	image       string
	id          string
	state, last corev1.ContainerState
	restarts    int32
	started     bool // what the startup probe says
	ready       bool // what the readiness probe says
}

func newContainer(p *pod, spec *corev1.Container, initial bool) *container {
	c := &container{pod: p, name: spec.Name, image: spec.Image, initial: initial, stop: p.stop, up: make(chan struct{})}
	c.sidecar = initial && spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
	c.state = waiting("ContainerCreating", "")
	if !initial && len(p.obj.Spec.InitContainers) > 0 {
		c.state = waiting("PodInitializing", "")
	}
	return c
}

// spec is what the container is to be; its image may change.
func (c *container) spec() *corev1.Container {
	obj := c.pod.latest()
	for _, list := range [][]corev1.Container{obj.Spec.Containers, obj.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == c.name {
				return &list[i]
			}
		}
	}
	return nil // cannot be: containers neither come nor go
}

// run runs the container, again as often as the policy says, until it has ended for good or is to end. It reports
// whether it ended well.
func (c *container) run() bool {
	var back backOff
	for {
		l, err := c.begin()
		if err != nil {
			wait := max(back.after(0), backOffFirst)
			c.fail(err)
			if !c.pause(wait) {
				return false
			}
			continue
		}
		c.live(l)
		code, _ := l.process.exit()
		if c.stopped() || !c.again(code) {
			return code == 0
		}
		if wait := back.after(l.process.ended.Sub(l.process.started)); wait > 0 {
			c.backOff(wait)
			if !c.pause(wait) {
				return false
			}
		}
		c.pod.set(func() { c.restarts++ })
	}
}

// again reports whether the container is to run again after it ended with code.
func (c *container) again(code int32) bool {
	policy := c.pod.latest().Spec.RestartPolicy
	switch {
	case c.sidecar:
		return true
	case policy == corev1.RestartPolicyNever:
		return false
	case c.initial || policy == corev1.RestartPolicyOnFailure:
		return code != 0
	default:
		return true
	}
}

// fail says why the container could not start.
func (c *container) fail(err error) {
	reason := startReason(err)
	c.pod.event(corev1.EventTypeWarning, "Failed", fmt.Sprintf("Error: %v", err))
	c.pod.set(func() {
		if reason == reasonRun { // as if it had run and ended
			now := metav1.Now()
			c.last = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 128, Reason: "StartError", Message: err.Error(), StartedAt: now, FinishedAt: now}}
		}
		c.state = waiting(reason, err.Error())
	})
}

// backOff says that the container waits for its next start.
func (c *container) backOff(wait time.Duration) {
	obj := c.pod.latest()
	c.pod.event(corev1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", c.name, obj.Name))
	c.pod.set(func() {
		c.last = c.state
		c.state = waiting("CrashLoopBackOff", fmt.Sprintf("back-off %v restarting failed container=%s pod=%s", wait, c.name, obj.Name))
	})
}

// pause waits, and reports whether the container is not to end meanwhile.
func (c *container) pause(d time.Duration) bool {
	select {
	case <-c.stop:
		return false
	case <-time.After(d):
		return true
	}
}

func (c *container) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// logFile has what the processes of the container write, all lives one after another.
func (c *container) logFile() string { return filepath.Join(c.pod.dir, c.name+".log") }
