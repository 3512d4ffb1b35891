package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/node"
	"ordeal/deploy/localkube/podmetrics"
	"ordeal/deploy/localkube/services"
)

// partsEndWithin bounds how long the parts may take to end; the guard ends what they have not.
const partsEndWithin = 10 * time.Second

// parts are what runs in this process, with the API server as its only way to know and tell: the node agent, the
// Services and the metrics APIs.
type parts struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	log    *os.File

	metrics string // HOST:PORT of the metrics APIs
}

// begin starts the parts. One that ends before close is a reason to end everything.
func (o *options) begin(p *controlplane.ControlPlane) (*parts, error) {
	file, err := os.OpenFile(filepath.Join(p.Dir, "logs", "localkube.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	metrics, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.metricsPort)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take port %d for the metrics APIs: %w", o.metricsPort, err), file.Close())
	}
	log := slog.New(slog.NewTextHandler(file, nil))
	klog.SetSlogLogger(log.With("part", "client")) // else it speaks on standard error
	ctx, cancel := context.WithCancel(context.Background())
	s := &parts{cancel: cancel, log: file, metrics: metrics.Addr().String()}
	s.run(ctx, p, "the node", func() error {
		return node.Run(ctx, node.Config{Kubeconfig: p.NodeConfig, Dir: p.Dir, Images: o.images, Subnet: p.Pods,
			MarkerEnv: p.State.Mark, Names: o.nodeNames(), Groups: p.Groups, Ungrouped: p.Ungrouped, Log: log.With("part", "node")})
	})
	s.run(ctx, p, "the service proxy", func() error {
		return services.Run(ctx, services.Config{Kubeconfig: p.NodeConfig, Subnet: p.Services, Log: log.With("part", "services")})
	})
	s.run(ctx, p, "the server of the metrics APIs", func() error {
		return podmetrics.ServeOn(ctx, podmetrics.Config{Kubeconfig: p.Kubeconfig, CertFile: p.MetricsCert, KeyFile: p.MetricsKey,
			CAFile: p.MetricsCACert, Via: o.metricsVia, Resolution: o.metricsResolution, Log: log.With("part", "metrics")}, metrics)
	})
	return s, nil
}

func (s *parts) run(ctx context.Context, p *controlplane.ControlPlane, name string, part func() error) {
	s.wg.Go(func() {
		err := part()
		if ctx.Err() == nil {
			p.Fail(errors.Join(fmt.Errorf("%s has ended", name), err))
		}
	})
}

// close ends the parts, and so all Pods.
func (s *parts) close() error {
	s.cancel()
	ended := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(partsEndWithin):
	}
	return s.log.Close()
}

// nodeNames are the names of the nodes.
func (o *options) nodeNames() []string {
	if o.nodes == 1 {
		return []string{node.DefaultName}
	}
	var names []string
	for n := range o.nodes {
		names = append(names, node.DefaultName+"-"+strconv.Itoa(n+1))
	}
	return names
}
