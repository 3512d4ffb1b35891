package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"

	"ordeal/targets/spawn"
)

// agent plays the kubelet of every Node.
type agent struct {
	cfg       Config
	client    kubernetes.Interface
	log       *slog.Logger
	events    record.EventRecorder
	spawner   *spawn.Spawner
	addresses *addresses
	nodes     map[string]netip.Addr

	services   corelisters.ServiceLister
	configMaps corelisters.ConfigMapLister
	secrets    corelisters.SecretLister

	ctx  context.Context // ends with the agent
	wg   sync.WaitGroup  // of the Pods
	mu   sync.Mutex
	pods map[types.UID]*pod
	over bool // no Pod is taken any more
}

// Run registers the Nodes and runs their Pods until ctx ends; then it kills every process and returns. An API server
// that cannot be reached is waited for.
func Run(ctx context.Context, cfg Config) error {
	config, err := clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1 // everything is on one machine
	config.UserAgent = "localkube-node"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	return run(ctx, cfg, client, config)
}

// run does so with a client. Logs are served to who has a certificate of the authority that config trusts; nil: not.
func run(ctx context.Context, cfg Config, client kubernetes.Interface, config *rest.Config) error {
	cfg, err := cfg.complete()
	if err != nil {
		return fmt.Errorf("configure the node: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, "pods"), 0o700); err != nil {
		return fmt.Errorf("make a directory for Pods: %w", err)
	}
	a := &agent{cfg: cfg, client: client, log: cfg.Log, spawner: spawn.New(), addresses: newAddresses(cfg.Subnet),
		nodes: map[string]netip.Addr{}, ctx: ctx, pods: map[types.UID]*pod{}}
	defer a.spawner.Close()
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	a.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "localkube"})
	logs, err := a.serveLogs(ctx, config)
	if err != nil {
		return err
	}
	defer logs.close() //nolint:errcheck // nothing is lost with it
	var beats sync.WaitGroup
	defer beats.Wait()
	for n, name := range cfg.Names {
		a.nodes[name] = a.addresses.node(n)
		r := registration{client: client, name: name, addr: a.nodes[name], allocatable: cfg.Allocatable,
			cpuLimits: cfg.cpuLimits(), logPort: logs.port}
		if err := a.register(ctx, r); err != nil {
			return err
		}
		beats.Go(func() { a.beat(ctx, r) })
	}
	defer a.end()
	return a.follow(ctx)
}

// register makes the Node, as often as it takes.
func (a *agent) register(ctx context.Context, r registration) error {
	for {
		err := errors.Join(r.register(ctx), r.renew(ctx))
		if err == nil {
			return nil
		}
		a.log.Warn("register the node", "node", r.name, "err", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryFirst):
		}
	}
}

// beat says again and again that the Node is alive, until ctx ends.
func (a *agent) beat(ctx context.Context, r registration) {
	wait := renewEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = renewEvery
		err := r.renew(ctx)
		if ok, readyErr := r.ready(ctx); readyErr != nil {
			err = errors.Join(err, readyErr)
		} else if !ok {
			err = errors.Join(err, r.beReady(ctx))
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("heartbeat", "node", r.name, "err", err)
			wait = time.Second
		}
	}
}

// follow runs the Pods that are bound to the Nodes until ctx ends.
func (a *agent) follow(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(a.client, 0)
	core := factory.Core().V1()
	a.services, a.configMaps, a.secrets = core.Services().Lister(), core.ConfigMaps().Lister(), core.Secrets().Lister()
	synced := []cache.InformerSynced{core.Services().Informer().HasSynced, core.ConfigMaps().Informer().HasSynced,
		core.Secrets().Informer().HasSynced}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return context.Cause(ctx)
	}
	_, err := core.Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { a.see(obj.(*corev1.Pod)) },
		UpdateFunc: func(was, obj any) {
			if uid := was.(*corev1.Pod).UID; uid != obj.(*corev1.Pod).UID { // another one has its name
				a.gone(uid)
			}
			a.see(obj.(*corev1.Pod))
		},
		DeleteFunc: func(obj any) {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if p, ok := obj.(*corev1.Pod); ok {
				a.gone(p.UID)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("follow the Pods: %w", err)
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

// see takes the newest state of a Pod.
func (a *agent) see(obj *corev1.Pod) {
	addr, ours := a.nodes[obj.Spec.NodeName]
	if !ours {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	p := a.pods[obj.UID]
	if p == nil {
		p = newPod(a, obj, addr)
		a.pods[obj.UID] = p
		a.wg.Go(p.run)
	}
	p.update(obj)
}

// gone ends a Pod that the API server does not have any more.
func (a *agent) gone(uid types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.pods[uid]; p != nil {
		p.vanish()
		delete(a.pods, uid)
	}
}

// end kills every process and waits until all are dead.
func (a *agent) end() {
	a.mu.Lock()
	a.over = true
	for _, p := range a.pods {
		p.vanish()
	}
	a.mu.Unlock()
	a.wg.Wait()
}
