// Package services makes the Services of a localkube answer: it listens on their cluster addresses, which are loopback
// addresses, and hands each connection to a Pod behind the Service.
package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says whose Services are to answer.
type Config struct {
	Kubeconfig string
	Subnet     netip.Prefix // the addresses of Services; one outside of it is left alone
	Log        *slog.Logger
}

// Run follows Services and Pods, and serves, until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	rest, err := clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	rest.QPS = -1 // everything is on one machine
	rest.UserAgent = "localkube-services"
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	return run(ctx, cfg, client)
}

// proxy has a front for each port of each Service.
type proxy struct {
	cfg      Config
	services corelisters.ServiceLister
	pods     corelisters.PodLister
	wake     chan struct{} // capacity 1: something has changed
	fronts   map[netip.AddrPort]*front
	wg       sync.WaitGroup
}

func run(ctx context.Context, cfg Config, client kubernetes.Interface) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	services, pods := factory.Core().V1().Services(), factory.Core().V1().Pods()
	p := &proxy{cfg: cfg, services: services.Lister(), pods: pods.Lister(), wake: make(chan struct{}, 1), fronts: map[netip.AddrPort]*front{}}
	changed := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { p.changed() },
		UpdateFunc: func(_, _ any) { p.changed() },
		DeleteFunc: func(any) { p.changed() },
	}
	_, err := services.Informer().AddEventHandler(changed)
	_, podsErr := pods.Informer().AddEventHandler(changed)
	if err := errors.Join(err, podsErr); err != nil {
		return fmt.Errorf("follow Services and Pods: %w", err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer p.close()
	if !cache.WaitForCacheSync(ctx.Done(), services.Informer().HasSynced, pods.Informer().HasSynced) {
		return nil
	}
	for {
		if err := p.sync(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		}
	}
}

func (p *proxy) changed() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// sync makes the fronts as the Services want them. A port with no Pod behind it has none: connections are refused.
func (p *proxy) sync() error {
	all, err := p.services.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list Services: %w", err)
	}
	wanted := map[netip.AddrPort][]netip.AddrPort{}
	for _, s := range all {
		if err := p.want(s, wanted); err != nil {
			return err
		}
	}
	for addr, f := range p.fronts {
		if len(wanted[addr]) == 0 {
			f.close()
			delete(p.fronts, addr)
		}
	}
	for addr, backends := range wanted {
		if f := p.fronts[addr]; f != nil {
			f.set(backends)
			continue
		}
		if len(backends) == 0 {
			continue
		}
		f, err := p.open(addr, backends)
		if err != nil {
			p.cfg.Log.Error("serve a Service", "addr", addr, "err", err)
			continue
		}
		p.fronts[addr] = f
	}
	return nil
}

// want adds the ports of a Service and the addresses behind each.
func (p *proxy) want(s *corev1.Service, into map[netip.AddrPort][]netip.AddrPort) error {
	ip, err := netip.ParseAddr(s.Spec.ClusterIP)
	if err != nil || !p.cfg.Subnet.Contains(ip) || len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		return nil // none of ours: headless, without Pods, or elsewhere
	}
	pods, err := p.pods.Pods(s.Namespace).List(labels.SelectorFromSet(s.Spec.Selector))
	if err != nil {
		return fmt.Errorf("list the Pods of a Service: %w", err)
	}
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if port.Protocol == corev1.ProtocolTCP || port.Protocol == "" {
			into[netip.AddrPortFrom(ip, uint16(port.Port))] = backends(s, port, pods)
		}
	}
	return nil
}

func (p *proxy) close() {
	for _, f := range p.fronts {
		f.close()
		f.drop()
	}
	p.wg.Wait()
}
