package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hold makes every call wait until release is called, and tells of each that came in.
func hold(users *userService) (arrived <-chan struct{}, release func()) {
	came, open := make(chan struct{}, 16), make(chan struct{})
	users.on(func(ctx context.Context, _ string) error {
		came <- struct{}{}
		select {
		case <-open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return came, func() { close(open) }
}

func refusesConnections(url string) bool {
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), 5*time.Second)
	if err != nil {
		return true
	}
	_ = c.Close()
	return false
}

// Not ready comes first, while requests are still served, each on a connection that is then closed; then new
// connections are refused; the request in flight is finished; the admin port answers until that is done.
func TestGracefulStopInOrder(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--drain-delay=2s", "--call-deadline=1m", "--request-timeout=1m", "--shutdown-timeout=1m")
	if code, _ := in.ask("/readyz"); code != 200 {
		t.Fatalf("/readyz answers %d while serving", code)
	}
	if in.get("/nowhere").Close {
		t.Error("a connection is closed while serving")
	}
	arrived, release := hold(users)
	inFlight := make(chan answer, 1)
	go func() {
		defer close(inFlight)
		inFlight <- in.get("/api/v1/users/42")
	}()
	<-arrived

	in.stop()
	eventually(t, "not ready", func() bool { code, _ := in.ask("/readyz"); return code == 503 })
	if code, _ := in.ask("/livez"); code != 200 {
		t.Errorf("/livez answers %d while draining: it must not be restarted", code)
	}
	if a := in.get("/nowhere"); a.StatusCode != 404 || !a.Close {
		t.Errorf("a request while draining: %d, connection closed: %v; want it served and the connection closed", a.StatusCode, a.Close)
	}
	eventually(t, "new connections refused", func() bool { return refusesConnections(in.url) })
	if code, _ := in.ask("/metrics"); code != 200 {
		t.Errorf("/metrics answers %d while a request is in flight", code)
	}
	select {
	case err := <-in.done:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	release()
	if a, ok := <-inFlight; !ok {
		t.Error("the request in flight has no answer")
	} else if a.StatusCode != 200 || !strings.Contains(a.raw, "Ada") {
		t.Errorf("the request in flight: %d %s", a.StatusCode, a.raw)
	}
	if err := <-in.done; err != nil {
		t.Errorf("a graceful stop returned %v", err)
	}
	in.done <- nil // for the clean-up
	if !refusesConnections(in.admin) {
		t.Error("the admin port is open after the stop")
	}
}

func TestStopsThatCutRequestsOff(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings []string
		abort    bool
		says     string
	}{
		{"second signal while draining", []string{"--drain-delay=1h"}, true, "at once"},
		{"second signal while waiting", []string{"--drain-delay=0s"}, true, "at once"},
		{"shutdown timeout", []string{"--shutdown-timeout=50ms"}, false, "still in flight"},
	} {
		t.Run(c.name, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			in := start(t, users.addr, append(c.settings, "--call-deadline=1h", "--request-timeout=1h")...)
			arrived, release := hold(users)
			defer release()
			cut := make(chan error, 1)
			go func() {
				resp, err := http.Get(in.url + "/api/v1/users/42")
				if err == nil {
					_ = resp.Body.Close()
				}
				cut <- err
			}()
			<-arrived
			in.stop()
			if c.abort {
				in.abort()
			}
			err := <-in.done
			in.done <- nil // for the clean-up
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("stopped with %v, want an error that says %q", err, c.says)
			}
			if err := <-cut; err == nil {
				t.Error("the request was answered")
			}
		})
	}
}

// A client that sends its header byte by byte is cut off; one beside it is served meanwhile. With the timeouts off
// the trickler is not cut.
func TestHeaderTrickler(t *testing.T) {
	for _, timeouts := range []string{"on", "off"} {
		t.Run("timeouts "+timeouts, func(t *testing.T) {
			in := start(t, startUsers(t, "127.0.0.1:0").addr, "--timeouts="+timeouts, "--read-header-timeout=300ms")
			conn, err := net.Dial("tcp", strings.TrimPrefix(in.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			ended := make(chan error, 1)
			go func() {
				_, err := io.ReadAll(conn)
				ended <- err
			}()
			begun := time.Now()
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: ")
			for err == nil && time.Since(begun) < 1500*time.Millisecond {
				select {
				case err = <-ended:
					if err == nil {
						err = io.EOF
					}
				case <-time.After(10 * time.Millisecond):
					_, err = io.WriteString(conn, "x")
				}
				if a := in.get("/api/v1/users/42"); a.StatusCode != 200 || a.Header.Get("X-Degraded") != "" {
					t.Errorf("a client beside it: %d %s", a.StatusCode, a.raw)
				}
			}
			switch took := time.Since(begun); {
			case timeouts == "off" && err != nil:
				t.Errorf("cut after %v with the timeouts off: %v", took, err)
			case timeouts == "on" && err == nil:
				t.Errorf("not cut within %v", took)
			case timeouts == "on" && took < 150*time.Millisecond:
				t.Errorf("cut after %v, long before its 300 ms", took)
			}
		})
	}
}

func TestHeaderThatIsTooLarge(t *testing.T) {
	for timeouts, want := range map[string]int{"on": 431, "off": 404} {
		in := start(t, "", "--timeouts="+timeouts)
		r, err := http.NewRequest(http.MethodGet, in.url+"/nowhere", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Large", strings.Repeat("x", 8<<10+4<<10))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("timeouts %s: 12 KiB of header are answered with %d, want %d", timeouts, resp.StatusCode, want)
		}
	}
}

// A body that does not arrive in time has an answer of its own.
func TestBodyThatStalls(t *testing.T) {
	in := start(t, "", "--read-timeout=200ms")
	conn, err := net.Dial("tcp", strings.TrimPrefix(in.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /api/v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 50\r\n\r\n{", token(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, resp); a.StatusCode != 408 || a.Code != codeSlowBody {
		t.Errorf("%d %s, want 408", a.StatusCode, a.raw)
	}
}

func TestPortInUse(t *testing.T) {
	first := start(t, "")
	for _, flag := range []string{"--addr=", "--admin="} {
		var cfg Config
		taken := strings.TrimPrefix(first.url, "http://")
		if err := NewFlagSet(&cfg).Parse([]string{"--addr=127.0.0.1:0", "--admin=127.0.0.1:0", flag + taken}); err != nil {
			t.Fatal(err)
		}
		s, err := New(cfg, first.Server.log)
		if err != nil {
			t.Fatal(err)
		}
		ready := func(string, string) { t.Error("ready without its ports") }
		if err := s.Run(context.Background(), context.Background(), ready); err == nil || !strings.Contains(err.Error(), taken) {
			t.Errorf("%s: error %v, want one that names %s", flag, err, taken)
		}
		var opErr *net.OpError
		if err := s.Close(); err != nil && !errors.As(err, &opErr) {
			t.Error(err)
		}
	}
}

// While it warms up an instance lives, is not ready, and its API port is shut: readiness that asks only whether the
// process lives sends it calls that fail.
func TestWarmUpKeepsTheAPIShut(t *testing.T) {
	addrs := freeAddrs(t, 2)
	var cfg Config
	if err := NewFlagSet(&cfg).Parse([]string{"--addr=" + addrs[0], "--admin=" + addrs[1], "--warm-up=1m", "--users=127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, context.Background(), func(string, string) { t.Error("ready while warming up") })
	}()
	in := &instance{t: t, admin: "http://" + addrs[1]}
	eventually(t, "the admin port", func() bool { return !refusesConnections(in.admin) })
	for path, want := range map[string]int{"/livez": 200, "/readyz": 503, "/metrics": 200} {
		if code, _ := in.ask(path); code != want {
			t.Errorf("%s answers %d while warming up, want %d", path, code, want)
		}
	}
	if !refusesConnections("http://" + addrs[0]) {
		t.Error("the API port is open while warming up")
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("stopped while warming up: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("does not stop while warming up")
	}
}

// freeAddrs finds addresses of this machine where nobody listens.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

func TestWarmUpEnds(t *testing.T) {
	began := time.Now()
	in := start(t, "", "--warm-up=200ms")
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("ready after %v, want the warm-up of 200 ms first", took)
	}
	if code, _ := in.ask("/readyz"); code != 200 {
		t.Errorf("/readyz answers %d after the warm-up", code)
	}
}
