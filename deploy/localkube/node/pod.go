package node

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// toldWithin bounds the wait for the API server to take the news that a Pod is not ready before it is ended, and of how
// it ended before it is removed.
const toldWithin = 2 * time.Second

// pod is a Pod of one of the Nodes.
type pod struct {
	agent            *agent
	log              *slog.Logger
	dir              string     // of what its processes write
	host             netip.Addr // of its Node
	news             *news
	initial, regular []*container

	stop     chan struct{} // closed when its containers are to end
	stopOnce sync.Once
	now      context.Context // ends when they are to be killed, or are all dead
	kill     context.CancelFunc

	mu         sync.Mutex
	obj        *corev1.Pod // as last seen
	addr       netip.Addr  // invalid until it has one
	started    metav1.Time
	refused    string // why it cannot run
	deleting   bool
	grace      int64 // seconds, once deleting
	initFailed bool
	initDone   bool
	over       bool // no container will run any more
	conditions map[corev1.PodConditionType]corev1.PodCondition

	contradicted bool // somebody else has said otherwise whether it is ready
}

func newPod(a *agent, obj *corev1.Pod, host netip.Addr) *pod {
	p := &pod{agent: a, log: a.log.With("pod", obj.Namespace+"/"+obj.Name), host: host, news: newNews(), stop: make(chan struct{}),
		dir: filepath.Join(a.cfg.Dir, "pods", fmt.Sprintf("%s_%s_%s", obj.Namespace, obj.Name, obj.UID)),
		obj: obj, started: metav1.Now(), conditions: map[corev1.PodConditionType]corev1.PodCondition{}}
	p.now, p.kill = context.WithCancel(context.Background())
	for i := range obj.Spec.InitContainers {
		p.initial = append(p.initial, newContainer(p, &obj.Spec.InitContainers[i], true))
	}
	for i := range obj.Spec.Containers {
		p.regular = append(p.regular, newContainer(p, &obj.Spec.Containers[i], false))
	}
	for _, c := range obj.Status.Conditions { // of an agent before this one
		p.conditions[c.Type] = c
	}
	return p
}

func (p *pod) latest() *corev1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.obj
}

// set changes something of the Pod that its status shows.
func (p *pod) set(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.news.changed()
}

// update takes a newer state of the object.
func (p *pod) update(obj *corev1.Pod) {
	p.set(func() {
		p.obj = obj
		for _, c := range obj.Status.Conditions { // a controller may have taken a node that it did not hear of for dead
			p.contradicted = p.contradicted || c.Type == corev1.PodReady && c.Status != p.conditions[c.Type].Status
		}
		if obj.DeletionTimestamp == nil {
			return
		}
		grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
		if obj.DeletionGracePeriodSeconds != nil {
			grace = *obj.DeletionGracePeriodSeconds
		}
		switch {
		case !p.deleting:
			p.deleting, p.grace = true, grace
			p.agent.wg.Go(p.leave)
		case grace < p.grace: // somebody has lost patience
			p.grace = grace
			time.AfterFunc(time.Duration(grace)*time.Second, p.kill)
		}
	})
}

// leave lets everybody know that the Pod is not ready any more, and then its containers end.
func (p *pod) leave() {
	p.news.told(p.now, toldWithin)
	p.stopOnce.Do(func() { close(p.stop) })
}

// vanish ends everything of the Pod at once: nobody wants to hear of it any more.
func (p *pod) vanish() {
	p.news.end()
	p.kill()
	p.stopOnce.Do(func() { close(p.stop) })
}

// run runs the Pod from the first to the last.
func (p *pod) run() {
	defer p.kill()
	if obj := p.latest(); obj.Status.Phase == corev1.PodSucceeded || obj.Status.Phase == corev1.PodFailed || obj.DeletionTimestamp != nil {
		p.news.mute() // it has ended, or is to end before it began: its status stays as it was
	} else {
		p.agent.wg.Go(p.report)
		p.live()
		p.set(func() { p.over = true })
	}
	<-p.stop
	p.remove()
}

// live runs its containers until none is to run any more.
func (p *pod) live() {
	obj := p.latest()
	addr := p.host
	if !obj.Spec.HostNetwork {
		var err error
		if addr, err = p.agent.addresses.take(); err != nil {
			p.refuse(err)
			return
		}
		defer p.agent.addresses.release(addr)
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		p.refuse(fmt.Errorf("make its directory: %w", err))
		return
	}
	if err := runnable(obj); err != nil {
		p.refuse(err)
		return
	}
	p.set(func() { p.addr = addr })
	p.sequence()
}

// refuse says why the Pod cannot run, and waits until it is deleted.
func (p *pod) refuse(why error) {
	p.event(corev1.EventTypeWarning, "Failed", "the Pod cannot run here: "+why.Error())
	p.set(func() { p.refused = why.Error() })
	<-p.stop
}

// sequence runs the initial containers one after another, then the others together. Sidecars, which are initial
// containers that stay, end last.
func (p *pod) sequence() {
	var regular, sidecars sync.WaitGroup
	dismissed := make(chan struct{})
	ok := true
	for _, c := range p.initial {
		if !ok || p.stopping() {
			break
		}
		if c.sidecar {
			c.stop = dismissed
			sidecars.Go(func() { c.run() })
			select {
			case <-c.up:
			case <-p.stop:
			}
			continue
		}
		ok = c.run()
	}
	p.set(func() { p.initDone, p.initFailed = ok && !p.stopping(), !ok && !p.stopping() })
	if ok && !p.stopping() {
		for _, c := range p.regular {
			regular.Go(func() { c.run() })
		}
	}
	regular.Wait()
	close(dismissed)
	sidecars.Wait()
}

func (p *pod) stopping() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// remove removes the object, as only the agent of its Node does.
func (p *pod) remove() {
	p.news.told(p.agent.ctx, toldWithin)
	obj := p.latest()
	zero := int64(0)
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		if p.news.ended() || p.agent.ctx.Err() != nil {
			break
		}
		ctx, cancel := context.WithTimeout(p.agent.ctx, callWithin)
		err := p.agent.client.CoreV1().Pods(obj.Namespace).Delete(ctx, obj.Name,
			metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &obj.UID}})
		cancel()
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // another one has its name
			break
		}
		p.log.Warn("remove the Pod", "err", err)
		sleep(p.agent.ctx, wait)
	}
	p.news.end()
}

func (p *pod) event(kind, reason, message string) {
	p.agent.events.Event(p.latest(), kind, reason, message)
}

// runnable says why a Pod cannot be run as processes.
func runnable(obj *corev1.Pod) error {
	volumes := map[string]corev1.Volume{}
	for _, v := range obj.Spec.Volumes {
		volumes[v.Name] = v
	}
	for _, c := range slices.Concat(obj.Spec.InitContainers, obj.Spec.Containers) {
		for _, m := range c.VolumeMounts {
			if v := volumes[m.Name]; !scratch(v, m) && !token(v, m) {
				return fmt.Errorf("container %s mounts volume %s at %s, and processes see the machine's own files: "+
					"only an emptyDir at /tmp is possible, which becomes TMPDIR", c.Name, m.Name, m.MountPath)
			}
		}
	}
	return nil
}

// scratch reports whether a mount is a directory for temporary files, which a variable can name instead.
func scratch(v corev1.Volume, m corev1.VolumeMount) bool {
	return v.EmptyDir != nil && filepath.Clean(m.MountPath) == "/tmp"
}

// token reports whether a mount is the token of the service account, which every Pod gets, and none here.
func token(v corev1.Volume, m corev1.VolumeMount) bool {
	return v.Projected != nil && m.MountPath == "/var/run/secrets/kubernetes.io/serviceaccount"
}
