// Package podmetrics serves the metrics of a localkube: CPU and memory of Pods and Nodes as metrics.k8s.io, and rates
// made of the Pods' Prometheus metrics as custom.metrics.k8s.io. The autoscaler and kubectl top read them.
package podmetrics

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says whose metrics are served and where.
type Config struct {
	Kubeconfig                string
	Addr                      string // HOST:PORT to listen on
	CertFile, KeyFile, CAFile string // PEM
	Via                       string // HOST:PORT by which the API server reaches Addr; empty: Addr itself
	Resolution                time.Duration
	Log                       *slog.Logger
}

// defaultResolution is the time between two readings.
const defaultResolution = time.Second

// Serve reads and serves the metrics until ctx ends, and makes the API server pass the two APIs on.
func Serve(ctx context.Context, cfg Config) error {
	listener, err := net.Listen("tcp4", cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen for the metrics APIs: %w", err)
	}
	return ServeOn(ctx, cfg, listener)
}

// ServeOn does the same on a listener, which it closes.
func ServeOn(ctx context.Context, cfg Config, listener net.Listener) error {
	defer listener.Close() //nolint:errcheck // the server has closed it before
	cfg.Resolution = cmp.Or(cfg.Resolution, defaultResolution)
	cfg.Via = cmp.Or(cfg.Via, listener.Addr().String())
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cert, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read the certificate of the metrics APIs: %w", err)
	}
	ca, err := os.ReadFile(cfg.CAFile)
	if err != nil {
		return fmt.Errorf("read the authority of the metrics APIs: %w", err)
	}
	rest, err := clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	rest.QPS = -1 // everything is on one machine
	rest.UserAgent = "localkube-metrics"
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	dyn, err := dynamic.NewForConfig(rest)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, nodes := factory.Core().V1().Pods(), factory.Core().V1().Nodes()
	store := newStore(pods.Lister(), nodes.Lister(), cfg.Resolution)
	synced := []cache.InformerSynced{pods.Informer().HasSynced, nodes.Informer().HasSynced}
	ctx, cancel := context.WithCancel(ctx)
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer cancel()
	server := &http.Server{Handler: (&api{store: store}).handler(), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, ErrorLog: slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug)}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		<-ctx.Done()
		_ = server.Close() // whoever asks now gets no answer
	})
	wg.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), synced...) {
			store.follow(ctx)
		}
	})
	r := registration{client: client, dynamic: dyn, via: cfg.Via, cert: cert, ca: ca, log: cfg.Log}
	wg.Go(func() { r.register(ctx) })
	defer cancel()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the metrics APIs: %w", err)
	}
	return nil
}
