package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// calls runs n calls of a spec, one after the other, against addrs.
func calls(t *testing.T, spec Spec, n int, addrs ...string) []evidence.Sample {
	t.Helper()
	return callsIn(t, spec, n, Env{Addrs: addrs, Seed: 1})
}

func callsIn(t *testing.T, spec Spec, n int, env Env) []evidence.Sample {
	t.Helper()
	spec.Name, spec.Clients = "l", 1
	env.Clock, env.End = evidence.NewClock(), time.Minute
	engine, err := spec.Engine(env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := &collector{}
	if err := engine.Run(ctx, 0, unpaced{}, &upTo{n: n, collector: got, stop: cancel}); err != nil {
		t.Fatal(err)
	}
	samples := got.sorted()
	if len(samples) < n {
		t.Fatalf("%d of %d calls", len(samples), n)
	}
	return samples[:n] // a call may have begun before the cancel
}

// upTo cancels the run after n calls.
type upTo struct {
	*collector
	n    int
	stop func()
}

func (u *upTo) Sample(s evidence.Sample) {
	u.collector.Sample(s)
	if u.count() >= u.n {
		u.stop()
	}
}

func get(path string) Spec { return Spec{HTTP: &HTTP{Target: "t", Get: path}} }

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	tg := newHTTPTarget(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/elsewhere":
			t.Error("a redirect was followed")
		case "/limited":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/large":
			_, _ = w.Write(make([]byte, 3<<20))
		case "/short": // the connection ends in the middle of the body
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("a part"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/slow-body":
			_, _ = w.Write([]byte("a part"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/malformed":
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "this is not HTTP\r\n\r\n")
			_ = conn.Close()
		case "/degraded":
			w.Header().Set("X-Degraded", "fallback")
			w.Header().Set("X-Served-By", "gateway-7")
		}
	}))
	for _, c := range []struct {
		path  string
		class evidence.Class
		code  int
		bytes int64
	}{
		{"/", evidence.OK, 200, 0},
		{"/redirect", evidence.OK, 302, 33},
		{"/limited", evidence.HTTP4xx, 429, 0},
		{"/broken", evidence.HTTP5xx, 502, 0},
		{"/large", evidence.OK, 200, 3 << 20},
		{"/short", evidence.Reset, 200, 6},
		{"/abort", evidence.Reset, 0, 0},
		{"/slow-body", evidence.Timeout, 200, 6},
		{"/malformed", evidence.Other, 0, 0},
	} {
		spec := get(c.path)
		spec.Timeout = 10 * time.Second
		if c.class == evidence.Timeout {
			spec.Timeout = 300 * time.Millisecond
		}
		s := calls(t, spec, 1, tg.addr)[0]
		if s.Class != c.class || s.Code != c.code || s.Bytes != c.bytes {
			t.Errorf("%s: %v %d, %d bytes; want %v %d, %d bytes", c.path, s.Class, s.Code, s.Bytes, c.class, c.code, c.bytes)
		}
	}
	if s := calls(t, get("/degraded"), 1, tg.addr)[0]; s.Mark != "fallback" || s.Backend != "gateway-7" {
		t.Errorf("mark %q, backend %q", s.Mark, s.Backend)
	}
	if s := calls(t, get("/"), 1, tg.addr)[0]; s.Mark != "" || s.Backend != tg.addr {
		t.Errorf("mark %q, backend %q of an answer without these headers", s.Mark, s.Backend)
	}
}

func TestClassify(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	read := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	for _, c := range []struct {
		err  error
		want evidence.Class
	}{
		{nil, evidence.OK},
		{dial(syscall.ECONNREFUSED), evidence.Refused},
		{dial(syscall.EHOSTUNREACH), evidence.Refused},
		{dial(syscall.ETIMEDOUT), evidence.Timeout},
		{dial(syscall.EADDRNOTAVAIL), evidence.Other}, // the generator's own ports are used up
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, evidence.Other},
		{read(syscall.ECONNRESET), evidence.Reset},
		{fmt.Errorf("write: %w", syscall.EPIPE), evidence.Reset},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), evidence.Reset},
		{errors.New("http: server closed idle connection"), evidence.Reset},
		{read(os.ErrDeadlineExceeded), evidence.Timeout},
		{fmt.Errorf("do: %w", context.DeadlineExceeded), evidence.Timeout},
		{errors.New("net/http: HTTP/1.x transport connection broken: malformed HTTP status code"), evidence.Other},
	} {
		if got := classify(c.err); got != c.want {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
	}
}

// TestVegetaLeavesNoTrace: the headers that Vegeta adds are its own business,
// and what net/http adds of itself (gzip, a user agent) is not wanted.
func TestVegetaLeavesNoTrace(t *testing.T) {
	var mu sync.Mutex
	var seen http.Header
	tg := newHTTPTarget(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = r.Header.Clone()
	}))
	spec := get("/")
	spec.HTTP.Headers = map[string]string{"x-team": "blue"}
	calls(t, spec, 1, tg.addr)
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 2 || seen.Get("X-Team") != "blue" || seen.Get("User-Agent") != "ordeal" {
		t.Errorf("on the wire: %v", seen)
	}
}

func TestProxyEnvironmentIsIgnored(t *testing.T) {
	// net/http never sends loopback through a proxy, so a request would prove nothing.
	if newTransport(connect{run: t.Context(), timeout: time.Second}, 1).Proxy != nil {
		t.Error("the environment decides where the load goes")
	}
}

func TestConnectionsAreReused(t *testing.T) {
	var mu sync.Mutex
	conns := make(map[string]int)
	tg := newHTTPTarget(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		conns[r.RemoteAddr]++
	}))
	calls(t, get("/"), 200, tg.addr)
	mu.Lock()
	defer mu.Unlock()
	if len(conns) != 1 {
		t.Errorf("one client used %d connections", len(conns))
	}
}

// TestLabelsAreBounded: a set of error texts, with a new port in each, grows
// without end. Samples have none to keep; labels that the target chooses are bounded.
func TestLabelsAreBounded(t *testing.T) {
	l := newLabels()
	for i := range 10 * maxLabels {
		want := fmt.Sprintf("replica-%d", i)
		if i >= maxLabels {
			want = otherLabel
		}
		if got := l.keep(fmt.Sprintf("replica-%d", i)); got != want {
			t.Fatalf("label %d is %q, want %q", i, got, want)
		}
	}
	if got := l.keep("replica-3"); got != "replica-3" {
		t.Errorf("a known label has become %q", got)
	}
	if got := newLabels().keep(strings.Repeat("é", 1000)); len(got) > maxLabelSize || !strings.HasPrefix(got, "éé") {
		t.Errorf("a long label is %d bytes: %q", len(got), got)
	}
}

// TestCancelWhileThePacerWaits: Vegeta and ghz sleep through the wait that a
// pacer asks for. An hour between two calls must not mean an hour until the end.
func TestCancelWhileThePacerWaits(t *testing.T) {
	for _, sub := range subjects()[:2] {
		t.Run(sub.name, func(t *testing.T) {
			tg := sub.target(t)
			spec := sub.spec
			spec.Rate = holdAt(1.0 / 3600)
			engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: 10 * time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := &upTo{collector: &collector{}, n: 1, stop: cancel}
			began := time.Now()
			if err := engine.Run(ctx, 0, schedule(t, spec, phases(10*time.Hour), 1), got); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDialsEndWithTheRun: net/http goes on dialling for calls that have given
// up. Nothing waits for these any more when the run is over.
func TestDialsEndWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dialing := make(chan struct{})
	transport := newTransport(connect{run: ctx, timeout: time.Hour}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- whileRunning(ctx, context.Background(), func(dial context.Context) error {
			close(dialing)
			<-dial.Done() // as a dial that is never answered
			return dial.Err()
		})
	}()
	<-dialing
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the dial goes on")
	}
	if _, err := transport.DialContext(context.Background(), "tcp", listen(t).Addr().String()); err == nil {
		t.Error("a dial after the run")
	}
}

// TestRepeatedRuns: an attacker sends nothing in its second attack, so each
// run must have its own.
func TestRepeatedRuns(t *testing.T) {
	tg := newHTTPTarget(t, nil)
	for range 2 {
		if got := calls(t, get("/"), 3, tg.addr); got[2].Class != evidence.OK {
			t.Errorf("%+v", got[2])
		}
	}
}

func TestReplicasInTurn(t *testing.T) {
	a, b := newHTTPTarget(t, nil), newHTTPTarget(t, nil)
	calls(t, get("/"), 10, a.addr, "http://"+b.addr)
	if n, m := a.calls.Load(), b.calls.Load(); n < 5 || m < 5 {
		t.Errorf("%d and %d calls", n, m)
	}
}
