// Package users is the reference user service: gRPC with all four kinds of call, tuned and watched as the
// guides to such services advise. It is an ordinary program and knows nothing of who puts load on it.
package users

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"

	userv1 "ordeal/targets/api/user/v1"
)

// ErrStopped is Serve's when Stop ended it.
var ErrStopped = errors.New("stopped at once")

// handshakeTimeout is for a connection that says nothing. Stopping waits for those, too.
const handshakeTimeout = 5 * time.Second

// windowSize is the fixed flow-control window, in bytes. Otherwise grpc measures the path to choose one, with a
// ping and its answer for nearly every small call.
const windowSize = 1 << 20

// abandonAfter bounds the wait for a hard stop: a handler may hang in a store that is not ours.
const abandonAfter = time.Second

// stage is how far the service is in its life.
type stage string

const (
	starting stage = "starting"
	serving  stage = "serving"
	draining stage = "draining"
)

type atomicStage struct{ v atomic.Value }

func (a *atomicStage) load() stage   { return a.v.Load().(stage) }
func (a *atomicStage) store(s stage) { a.v.Store(s) }

// Server is one instance of the service. Its ports are open from New on; they answer once Serve runs.
type Server struct {
	cfg     Config
	log     *slog.Logger
	store   Store
	metrics *metrics

	grpc          *grpc.Server
	health        *health.Server
	listener      net.Listener
	admin         *http.Server
	adminListener net.Listener // nil: none

	stage      atomicStage
	ready      chan struct{}      // closed when serving
	draining   context.Context    // ends when streams without an end of their own have to
	endEndless context.CancelFunc // ends draining
	stop       chan struct{}      // closed by Stop
	stopOnce   sync.Once
}

// New opens the ports, fills the store and returns the service. End it with Serve's context or Stop.
func New(cfg Config) (*Server, error) {
	if cfg.SeedUsers > cfg.MaxUsers {
		return nil, fmt.Errorf("seed-users %d: more than max-users %d", cfg.SeedUsers, cfg.MaxUsers)
	}
	if !printable(cfg.Instance) {
		return nil, fmt.Errorf("instance %q: must be printable ASCII", cfg.Instance)
	}
	if !printable(cfg.Version) {
		return nil, fmt.Errorf("version %q: must be printable ASCII", cfg.Version)
	}
	s := &Server{cfg: cfg, log: cfg.Log, store: cfg.Store,
		ready: make(chan struct{}), stop: make(chan struct{})}
	s.draining, s.endEndless = context.WithCancel(context.Background())
	s.stage.store(starting)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.store == nil {
		s.store = NewMemory(cfg.MaxUsers, cfg.MaxWatchers)
	}
	if err := seed(s.store, cfg.SeedUsers); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(s.store)
	s.register()
	if err := s.listen(); err != nil {
		return nil, err
	}
	return s, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// seed creates users "1" to n.
func seed(store Store, n int) error {
	for i := 1; i <= n; i++ {
		id := strconv.Itoa(i)
		_, err := store.Change(id, func(*userv1.User) (*userv1.User, error) {
			return &userv1.User{Name: "User " + id, Age: int32(18 + i%60), Email: "user" + id + "@example.com"}, nil
		})
		if err != nil {
			return fmt.Errorf("seed user %s: %w", id, err)
		}
	}
	return nil
}

// register makes the gRPC server with its services.
func (s *Server) register() {
	around := &interceptors{metrics: s.metrics, labour: newLabour(s.cfg.Work), log: s.log,
		identity: identity(&s.cfg), timeout: s.cfg.CallTimeout, draining: s.draining}
	s.grpc = grpc.NewServer(append(around.options(),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.StaticStreamWindowSize(windowSize),
		grpc.StaticConnWindowSize(windowSize),
		grpc.MaxRecvMsgSize(s.cfg.MaxMessageSize),
		grpc.MaxSendMsgSize(s.cfg.MaxMessageSize),
		// A 0 means "never" to grpc as well.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: s.cfg.MaxConnectionIdle, MaxConnectionAge: s.cfg.MaxConnectionAge,
			MaxConnectionAgeGrace: s.cfg.MaxConnectionAgeGrace,
			Time:                  s.cfg.KeepaliveTime, Timeout: s.cfg.KeepaliveTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: max(s.cfg.KeepaliveMinTime, 1), PermitWithoutStream: true}),
	)...)
	userv1.RegisterUserServiceServer(s.grpc, &service{
		store: s.store, metrics: s.metrics, watchBuffer: s.cfg.WatchBuffer, draining: s.draining})
	s.health = health.NewServer()
	s.setHealth(healthv1.HealthCheckResponse_NOT_SERVING)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc) // v1 and v1alpha
	s.metrics.prepare(s.grpc.GetServiceInfo())
}

// identity is what each call is answered with about who answers.
func identity(cfg *Config) metadata.MD {
	md := metadata.Pairs("x-served-by", cfg.Instance)
	if cfg.Version != "" {
		md.Set("x-version", cfg.Version)
	}
	return md
}

func (s *Server) setHealth(to healthv1.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", to) // the server as a whole
	s.health.SetServingStatus(userv1.UserService_ServiceDesc.ServiceName, to)
}

func (s *Server) listen() error {
	var err error
	if s.listener, err = net.Listen("tcp", s.cfg.Addr); err != nil {
		return fmt.Errorf("open the gRPC port: %w", err)
	}
	if s.cfg.Admin == "" {
		return nil
	}
	if s.adminListener, err = net.Listen("tcp", s.cfg.Admin); err != nil {
		return errors.Join(fmt.Errorf("open the admin port: %w", err), s.listener.Close())
	}
	s.admin = newAdmin(s.adminHandler())
	return nil
}

// Addr is where gRPC is served.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// AdminAddr is where the admin pages are served, "" when nowhere.
func (s *Server) AdminAddr() string {
	if s.adminListener == nil {
		return ""
	}
	return s.adminListener.Addr().String()
}

// Ready is closed once the service answers calls and says that it is ready.
func (s *Server) Ready() <-chan struct{} { return s.ready }
