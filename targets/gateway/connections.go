package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // lets the client watch the health of each replica
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	userv1 "ordeal/targets/api/user/v1"
	"ordeal/targets/tuning"
)

// connections hand out a client for one call, and take it back.
type connections interface {
	client() (c userv1.UserServiceClient, release func(), err error)
	Close() error
}

// shared is one channel over all replicas, round robin: HTTP/2 carries every call on one connection per replica.
type shared struct {
	conn  *grpc.ClientConn
	users userv1.UserServiceClient
}

func newShared(addrs []string, t *tuning.Tuning) (*shared, error) {
	replicas := manual.NewBuilderWithScheme("users")
	var state resolver.State
	for _, addr := range addrs {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: addr}}})
	}
	replicas.InitialState(state)
	service := `{"loadBalancingConfig":[{"round_robin":{}}]}`
	if t.HealthCheck {
		service = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`
	}
	conn, err := grpc.NewClient("users:///replicas", append(dialOptions(t),
		grpc.WithResolvers(replicas), grpc.WithDefaultServiceConfig(service), grpc.WithIdleTimeout(0))...)
	if err != nil {
		return nil, fmt.Errorf("channel to the user service: %w", err)
	}
	conn.Connect()
	return &shared{conn, userv1.NewUserServiceClient(conn)}, nil
}

func (s *shared) client() (userv1.UserServiceClient, func(), error) { return s.users, func() {}, nil }

func (s *shared) Close() error { return s.conn.Close() }

// perCall dials a replica for each call, in turn: what connection reuse is measured against.
type perCall struct {
	addrs   []string
	options []grpc.DialOption
	turn    atomic.Uint64
}

func newPerCall(addrs []string, t *tuning.Tuning) *perCall {
	return &perCall{addrs: addrs, options: dialOptions(t)}
}

func (p *perCall) client() (userv1.UserServiceClient, func(), error) {
	addr := p.addrs[(p.turn.Add(1)-1)%uint64(len(p.addrs))]
	conn, err := dialReplica(addr, p.options)
	if err != nil {
		return nil, nil, err
	}
	return userv1.NewUserServiceClient(conn), func() { _ = conn.Close() }, nil // it is thrown away: nothing to save
}

func (p *perCall) Close() error { return nil }

// dialReplica makes a channel to one replica. It connects when first used.
func dialReplica(addr string, options []grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+addr, options...)
	if err != nil {
		return nil, fmt.Errorf("channel to the user service at %s: %w", addr, err)
	}
	return conn, nil
}

func dialOptions(t *tuning.Tuning) []grpc.DialOption {
	dialer := net.Dialer{Timeout: t.DialTimeout}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", addr)
		}),
		// A restarted replica is found again within a second, whatever the length of its absence.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: t.DialTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: t.Keepalive, Timeout: t.KeepaliveTimeout, PermitWithoutStream: true,
		}),
		grpc.WithDisableRetry(), // retries are counted, and asked of the breaker, in upstream.call
	}
}

// closeAll closes every connection and returns what went wrong.
func closeAll[C interface{ Close() error }](list []C) error {
	var errs []error
	for _, c := range list {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
