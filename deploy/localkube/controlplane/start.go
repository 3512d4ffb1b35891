package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"ordeal/deploy/localkube/cgroup"
	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/guard"
	"ordeal/targets/spawn"
)

// logDir has what the components say, below the directory.
const logDir = "logs"

// startWithin bounds a start on a machine that has other things to do.
const startWithin = 80 * time.Second

// ControlPlane is a control plane that runs.
type ControlPlane struct {
	Dir           string
	State         State
	Pods          netip.Prefix // the addresses of Pods and nodes
	Services      netip.Prefix // the addresses of Services
	Client        *kubernetes.Clientset
	Kubeconfig    string // of the user
	NodeConfig    string // kubeconfig of whoever plays the node
	MetricsCert   string // of the server of the metrics APIs, and its key, and the authority of both
	MetricsKey    string
	MetricsCACert string
	Groups        *cgroup.Tree // where limits of CPU in Pods hold; nil: nowhere
	Ungrouped     error        // why not; nil where Groups is not

	ctx      context.Context // ends with the first component that does
	fail     context.CancelCauseFunc
	lock     *os.File
	network  net.Listener
	guard    *guard.Guard
	spawner  *spawn.Spawner
	children []*child
	closing  chan struct{}
	closed   sync.Once
}

// Start starts a control plane and waits until the API server answers: whoever plays the node can begin then. After an
// error nothing is left.
func Start(ctx context.Context, c Config) (_ *ControlPlane, err error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &ControlPlane{Dir: c.Dir, closing: make(chan struct{})}
	p.ctx, p.fail = context.WithCancelCause(context.Background())
	if p.lock, err = claim(c.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	listener, err := p.prepare(c)
	if err != nil {
		return nil, err
	}
	ctx, stop := p.within(ctx)
	defer stop()
	if err := p.spawn(c, listener); err != nil {
		return nil, err
	}
	return p, p.begin(ctx)
}

// within is ctx, with an end when a part ends that must not, or after long enough for a start.
func (p *ControlPlane) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("not there within %v", startWithin))
	ctx, stop := context.WithCancelCause(ctx)
	release := context.AfterFunc(p.ctx, func() { stop(context.Cause(p.ctx)) })
	return ctx, func() {
		release()
		stop(nil)
		cancel()
	}
}

// prepare takes what the control plane needs of the machine, and writes its files.
func (p *ControlPlane) prepare(c Config) (*net.TCPListener, error) {
	mark := guard.NewMark()
	p.State = State{PID: os.Getpid(), Mark: mark, Started: time.Now(), Kubeconfig: filepath.Join(c.Dir, adminConfig)}
	if err := p.State.write(c.Dir); err != nil {
		return nil, err
	}
	var err error
	if p.guard, err = guard.Start(c.Self, mark, c.Dir, p.lock); err != nil {
		return nil, err
	}
	if err := p.group(c.CPULimits); err != nil {
		return nil, err
	}
	if p.State.Subnet, p.network, err = claimNetwork(); err != nil {
		return nil, err
	}
	p.Pods, p.Services = split(p.State.Subnet)
	listener, err := listen(c.APIPort)
	if err != nil {
		return nil, err
	}
	p.State.Server = "https://" + listener.Addr().String()
	k := credentials{dir: c.Dir, services: p.Services, direct: p.State.Server, via: p.State.Server}
	if c.APIVia != "" {
		k.via = "https://" + c.APIVia
	}
	if err := errors.Join(k.make(), os.Mkdir(filepath.Join(c.Dir, logDir), 0o700)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.Kubeconfig, p.NodeConfig = p.State.Kubeconfig, filepath.Join(c.Dir, nodeConfig)
	pki := filepath.Join(c.Dir, pkiDir)
	p.MetricsCert, p.MetricsKey, p.MetricsCACert = filepath.Join(pki, "metrics.crt"), filepath.Join(pki, "metrics.key"), filepath.Join(pki, "ca.crt")
	p.Client, err = Client(c.Dir)
	return listener, err
}

// spawn starts every component; they load and wait. The listener is the API server's from then on.
func (p *ControlPlane) spawn(c Config, listener *net.TCPListener) error {
	file, err := listener.File()
	err = errors.Join(err, listener.Close())
	if err != nil {
		return fmt.Errorf("hand the listener to the API server: %w", err)
	}
	defer file.Close() //nolint:errcheck // the API server has a copy
	port := listener.Addr().(*net.TCPAddr).Port
	p.spawner = spawn.New()
	flags := flags(c, port, p.Services)
	for _, name := range components.Names() {
		var files []*os.File
		if name == components.APIServer {
			files = []*os.File{file}
		}
		env := append([]string{p.State.Mark, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + c.Dir}, limits(name)...)
		child, err := spawnChild(p.spawner, c.Self, name, c.Dir, flags[name], env, files...)
		if err != nil {
			return err
		}
		p.children = append(p.children, child)
		p.State.Components = append(p.State.Components, Component{Name: name, PID: child.cmd.Process.Pid})
		go p.watch(child.ended, child.death)
	}
	go p.watch(p.guard.Ended(), func() error { return guard.ErrLost })
	return p.State.write(c.Dir)
}

// begin lets each component begin when what it needs is there.
func (p *ControlPlane) begin(ctx context.Context) error {
	etcd, server, rest := p.children[0], p.children[1], p.children[2:]
	if err := etcd.begin(); err != nil {
		return err
	}
	if err := etcdReady(ctx, p.lock); err != nil {
		return err
	}
	if err := server.begin(); err != nil {
		return err
	}
	if err := until(ctx, server.name, func(ctx context.Context) error { return Answers(ctx, p.Client) }); err != nil {
		return err
	}
	for _, c := range rest {
		if err := c.begin(); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until everything is ready: the controllers have made the default namespace usable, so many nodes take
// Pods, and the API server passes on the metrics APIs, which are at an address. Then it writes that down.
func (p *ControlPlane) Await(ctx context.Context, nodes int, metrics string) error {
	ctx, stop := p.within(ctx)
	defer stop()
	if err := controllersReady(ctx, p.Client); err != nil {
		return err
	}
	if err := nodesReady(ctx, p.Client, nodes); err != nil {
		return err
	}
	if err := metricsReady(ctx, p.Client); err != nil {
		return err
	}
	p.State.Ready, p.State.Metrics = true, metrics
	return p.State.write(p.Dir)
}

// watch tells why a part has ended, if that was not wanted.
func (p *ControlPlane) watch(ended <-chan struct{}, why func() error) {
	<-ended
	select {
	case <-p.closing:
	default:
		p.fail(why())
	}
}

// Fail says that a part has ended that must not.
func (p *ControlPlane) Fail(err error) { p.fail(err) }

// Done is closed when a part of the control plane has ended that must not; Err says which.
func (p *ControlPlane) Done() <-chan struct{} { return p.ctx.Done() }

// Err is why Done is closed.
func (p *ControlPlane) Err() error { return context.Cause(p.ctx) }

// Close ends every process and removes the directory. It may be called again.
func (p *ControlPlane) Close() error {
	var errs []error
	p.closed.Do(func() {
		close(p.closing)
		for i := len(p.children) - 1; i >= 0; i-- {
			errs = append(errs, p.children[i].kill())
		}
		if p.spawner != nil {
			p.spawner.Close()
		}
		if p.network != nil {
			errs = append(errs, p.network.Close())
		}
		errs = append(errs, p.remove(), p.lock.Close())
	})
	return errors.Join(errs...)
}

// remove lets the guard end what has left its group, and remove the directory; or does it without a guard.
func (p *ControlPlane) remove() error {
	if p.guard != nil {
		if err := p.guard.Close(); err == nil {
			return nil
		}
	}
	if p.State.Mark != "" {
		guard.Sweep(p.State.Mark)
	}
	err := cgroup.Remove(p.State.Groups)
	if rest := os.RemoveAll(p.Dir); rest != nil {
		err = errors.Join(err, fmt.Errorf("remove the directory: %w", rest))
	}
	return err
}
