package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"
)

// Server is one instance. Close it, served or not.
type Server struct {
	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	upstream *upstream
	probes   []*grpc.ClientConn // one per replica, for /health

	engine *gin.Engine
	admin  http.Handler

	serving  atomic.Bool // what /readyz says
	draining atomic.Bool // every answer asks the client to connect anew, elsewhere
}

// New builds an instance from cfg. It connects to the user service in the background, and does not need it to be up.
// Gin's mode is global to the process and left as it is: Main sets it.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	log = log.With(slog.String("service", "gateway"), slog.String("instance", cfg.Instance))
	s := &Server{cfg: cfg, log: log, metrics: newMetrics()}
	var err error
	if s.upstream, err = newUpstream(cfg.Users, &s.cfg.Tuning, s.metrics, log); err != nil {
		return nil, err
	}
	for _, addr := range cfg.Users {
		probe, err := dialReplica(addr, dialOptions(&s.cfg.Tuning))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.probes = append(s.probes, probe)
	}
	s.engine = s.routes()
	s.metrics.prepare(s.engine.Routes())
	s.admin = s.adminRoutes()
	return s, nil
}

// Handler serves the API.
func (s *Server) Handler() http.Handler { return s.engine }

// AdminHandler serves metrics, profiles and health.
func (s *Server) AdminHandler() http.Handler { return s.admin }

// Close ends the connections to the user service.
func (s *Server) Close() error {
	return errors.Join(s.upstream.Close(), closeAll(s.probes))
}

// Run opens the admin port, warms up, opens the API port, calls ready with the addresses once both accept, and
// serves until ctx is done. Then it stops as a load balancer likes it: not ready first, requests still served for
// drain-delay with each answer asking to connect elsewhere, then no new connections, requests in flight finished
// within shutdown-timeout, admin port last. When abort is done everything stops at once. The error is nil after a
// stop that cut nobody off.
func (s *Server) Run(ctx, abort context.Context, ready func(addr, admin string)) error {
	failed := make(chan error, 2)
	admin := s.adminServer()
	adminAddr, err := listen(admin, s.cfg.Admin, failed)
	if err != nil {
		return err
	}
	err = s.runAPI(ctx, abort, failed, func(addr string) { ready(addr, adminAddr) })
	s.serving.Store(false)
	return errors.Join(err, admin.Close())
}

// runAPI is Run beside the admin port. An error in failed ends it.
func (s *Server) runAPI(ctx, abort context.Context, failed chan error, ready func(addr string)) error {
	if s.cfg.WarmUp > 0 {
		warm := time.NewTimer(s.cfg.WarmUp)
		defer warm.Stop()
		select {
		case <-warm.C:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil // nobody was served yet
		case <-abort.Done():
			return errAborted
		}
	}
	api := s.apiServer()
	addr, err := listen(api, s.cfg.Addr, failed)
	if err != nil {
		return err
	}
	s.serving.Store(true)
	ready(addr)
	select {
	case err := <-failed:
		return errors.Join(err, api.Close())
	case <-ctx.Done():
		return s.drain(abort, api)
	case <-abort.Done():
		return errors.Join(errAborted, api.Close())
	}
}

// listen serves on addr in the background, and tells failed when that ends by itself. It returns the address as a
// client on this machine can use it.
func listen(server *http.Server, addr string, failed chan<- error) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen on %s: %w", addr, err)
	}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
		}
	}()
	return dialable(l), nil
}

// errAborted says that requests in flight were cut off because somebody insisted.
var errAborted = errors.New("stopped at once, requests in flight were cut off")

// drain lets go of the API port without failing a request.
func (s *Server) drain(abort context.Context, api *http.Server) error {
	s.serving.Store(false)
	s.draining.Store(true)
	s.log.LogAttrs(abort, slog.LevelInfo, "draining", slog.String("delay", s.cfg.DrainDelay.String()))
	delay := time.NewTimer(s.cfg.DrainDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-abort.Done():
		return errors.Join(errAborted, api.Close())
	}
	ctx, cancel := context.WithTimeout(abort, s.cfg.ShutdownTimeout)
	defer cancel()
	err := api.Shutdown(ctx)
	switch {
	case err == nil:
		return nil
	case abort.Err() != nil:
		err = errAborted
	default:
		err = fmt.Errorf("requests still in flight after %v: %w", s.cfg.ShutdownTimeout, err)
	}
	return errors.Join(err, api.Close())
}

func (s *Server) apiServer() *http.Server {
	server := &http.Server{Handler: s.engine, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	if t := s.cfg.Tuning; t.Timeouts {
		server.ReadTimeout = t.ReadTimeout
		server.ReadHeaderTimeout = t.ReadHeaderTimeout
		server.WriteTimeout = t.WriteTimeout
		server.IdleTimeout = t.IdleTimeout
		server.MaxHeaderBytes = t.MaxHeaderBytes
	}
	return server
}

// adminServer has no write timeout: a profile takes as long as it is asked to.
func (s *Server) adminServer() *http.Server {
	return &http.Server{
		Handler: s.admin, ReadHeaderTimeout: 5 * time.Second,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// dialable is the listener's address as a client on this machine can use it.
func dialable(l net.Listener) string {
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsUnspecified() {
		return l.Addr().String()
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port}).String()
}
