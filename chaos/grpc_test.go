package chaos

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// serveHealth runs a gRPC server; dialHealth makes a client of it over a link.
func serveHealth(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	healthpb.RegisterHealthServer(srv, health.NewServer())
	served := make(chan struct{})
	go func() { defer close(served); srv.Serve(ln) }()
	t.Cleanup(func() { srv.Stop(); <-served })
	return ln.Addr().String()
}

func dialHealth(t *testing.T, addr string) healthpb.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1, MaxDelay: 50 * time.Millisecond},
			MinConnectTimeout: 500 * time.Millisecond,
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return healthpb.NewHealthClient(conn)
}

func call(client healthpb.HealthClient, within time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	start := time.Now()
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
	return time.Since(start), err
}

func TestGRPCUnderLatency(t *testing.T) {
	l, _ := openTestLink(t, serveHealth(t))
	client := dialHealth(t, l.Addrs()[0])
	for range 3 {
		if _, err := call(client, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.Stats().Calls; n != 3 {
		t.Errorf("%d calls counted, want 3", n)
	}
	in := inject(t, l, Spec{Latency: &Latency{Delay: 300 * time.Millisecond, Direction: both}})
	for range 2 {
		if took, err := call(client, 10*time.Second); err != nil || took < 600*time.Millisecond {
			t.Errorf("under latency a call takes %s, %v: want twice 300ms", took, err)
		}
	}
	heal(t, in)
	if got := in.Touched(); got.Calls != 2 || got.Connections != 1 {
		t.Errorf("touched %+v, want 2 calls on 1 connection", got)
	}
	heals(t, "a call is fast after heal", func() bool {
		took, err := call(client, 10*time.Second)
		return err == nil && took < 600*time.Millisecond
	})
	if got := in.Touched(); got.Calls != 2 {
		t.Errorf("a call after heal counts as touched: %+v", got)
	}
}

func TestGRPCRecoversFromABlackhole(t *testing.T) {
	l, _ := openTestLink(t, serveHealth(t))
	client := dialHealth(t, l.Addrs()[0])
	if _, err := call(client, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	in := inject(t, l, Spec{Blackhole: &Blackhole{}})
	if _, err := call(client, 200*time.Millisecond); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("in the blackhole: %v, want a timeout", err)
	}
	eventually(t, "the swallowed call is counted as well", func() bool { return l.Stats().Calls == 2 })
	heal(t, in)
	if got := in.Touched(); got.Calls != 1 || got.Connections != 1 || got.Bytes == 0 {
		t.Errorf("touched %+v", got)
	}
	eventually(t, "calls go well on a new connection", func() bool {
		_, err := call(client, time.Second)
		return err == nil
	})
	if n := l.Stats().Connections; n < 2 {
		t.Errorf("%d connections: the one with a hole goes on", n)
	}
}
