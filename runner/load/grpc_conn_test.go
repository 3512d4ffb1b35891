package load

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"ordeal/runner/evidence"
)

// source is a connection that has so much to be read each time.
type source struct {
	net.Conn
	has int
}

func (s *source) Read(p []byte) (int, error) { return min(len(p), s.has), nil }

// alternate makes a connection of a source.
func alternate(t *testing.T, from net.Conn, answer *atomic.Int64) net.Conn {
	t.Helper()
	var creds credentials.TransportCredentials = alternating{insecure.NewCredentials(), answer}
	conn, info, err := creds.Clone().ClientHandshake(t.Context(), "", from)
	if err != nil || info == nil || creds.Info() != insecure.NewCredentials().Info() {
		t.Fatal(info, creds.Info(), err)
	}
	return conn
}

// TestCallsGoOnBetweenReads: whoever was woken by what was read runs before more
// is read, where there is more.
func TestCallsGoOnBetweenReads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const reads, portion = 1000, 64
	for _, c := range []struct {
		name string
		has  int
		goOn bool
	}{{"all that was asked for", portion, true}, {"less", portion - 1, false}} {
		conn := alternate(t, &source{has: c.has}, &atomic.Int64{})
		p := make([]byte, portion)
		wentOn := 0
		for range reads {
			if n, err := conn.Read(p); n != c.has || err != nil {
				t.Fatal(n, err)
			}
			var ran atomic.Bool
			go ran.Store(true)
			_, _ = conn.Read(p)
			if ran.Load() {
				wentOn++
			}
			for !ran.Load() {
				runtime.Gosched()
			}
		}
		// Now and then the runtime has reasons of its own.
		if got := wentOn > reads/2; got != c.goOn {
			t.Errorf("after a read of %s: %d of %d times the other goroutine ran before the next; want that %v", c.name, wentOn, reads, c.goOn)
		}
	}
}

// TestAFewAnswersAreReadAtOnce, whatever their size.
func TestAFewAnswersAreReadAtOnce(t *testing.T) {
	t.Parallel()
	var c codec
	conn := alternate(t, &source{has: 1 << 30}, &c.answer)
	p := make([]byte, 32<<10)
	for _, answer := range []struct{ size, want int }{
		{0, 320}, {40, 520}, {79, 520}, {1 << 10, 5440}, {1 << 20, 32 << 10}, {0, 320},
	} {
		if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(make([]byte, answer.size))}, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(p); n != answer.want || err != nil {
			t.Errorf("after an answer of %d bytes %d are read at once, %v; want %d", answer.size, n, err, answer.want)
		}
	}
}

// TestAnswersOfAnySizeAreRead by calls at the same time over one connection.
func TestAnswersOfAnySizeAreRead(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 600, 20_000, 300_000} {
		tg := newGRPCTarget(t)
		spec := unary()
		spec.GRPC.Data, spec.Rate = map[string]any{"response_size": size}, holdAt(1000)
		const length = 200 * time.Millisecond
		engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: length + time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		got := &collector{}
		if err := engine.Run(t.Context(), 0, schedule(t, spec, phases(length), 1), got); err != nil {
			t.Fatal(err)
		}
		if n := got.classes(); n[evidence.OK] != 200 || len(got.sorted()) != 200 {
			t.Errorf("answers of %d bytes: %v, want 200 that are ok", size, n)
		}
		if learnt := engine.(*grpcEngine).codec.answer.Load(); learnt < int64(size) || learnt > int64(size)+20 {
			t.Errorf("answers of %d bytes are held to have %d", size, learnt)
		}
	}
}

type refusing struct {
	credentials.TransportCredentials
}

func (refusing) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, context.Canceled
}

func TestARefusedHandshakeIsToldAsItIs(t *testing.T) {
	t.Parallel()
	conn, _, err := alternating{refusing{insecure.NewCredentials()}, nil}.ClientHandshake(t.Context(), "", &source{})
	if conn != nil || err != context.Canceled { //nolint:errorlint // as it is
		t.Errorf("%v, %v", conn, err)
	}
}
