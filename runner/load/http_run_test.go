package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// TestCallsEndWithTheRun: whatever a call waits for, it ends soon after the run
// was cancelled, long before its timeout, and its connection with it.
func TestCallsEndWithTheRun(t *testing.T) {
	const clients = 8
	silent := func(p *peer) { p.linger() }
	eachTransport(t, func(t *testing.T, transport string) {
		for name, c := range map[string]struct {
			script func(*peer) // nil: connections are not accepted
			spec   func(*Spec)
			code   int
		}{
			"dial":      {},
			"handshake": {script: silent, spec: func(s *Spec) { s.Secure, s.HTTP.Transport = true, transport }},
			"request":   {script: func(p *peer) { <-p.over }, spec: post(16 << 20)},
			"answer":    {script: silent},
			"headers":   {script: stuck("HTTP/1.1 200 OK\r\n")},
			"body":      {script: stuck("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), code: 200},
			"chunk":     {script: stuck("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab"), code: 200},
			"endless":   {script: stuck("HTTP/1.1 200 OK\r\n\r\nabc"), code: 200},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				spec := get("/")
				if c.spec != nil {
					c.spec(&spec)
				}
				spec.Name, spec.Clients, spec.Timeout, spec.HTTP.Transport = "l", clients, time.Hour, transport
				var addr string
				underWay := func() bool { return true }
				if c.script == nil {
					addr = unaccepted(t)
				} else {
					server := newScripted(t, listen(t), c.script)
					addr, underWay = server.addr, func() bool { return server.conns.Load() == clients }
				}
				var issued atomic.Int64
				engine, err := spec.Engine(Env{Addrs: []string{addr}, Clock: evidence.NewClock(), End: time.Hour, Issued: &issued})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var cancelled time.Time
				var helper sync.WaitGroup
				helper.Go(func() {
					poll(func() bool { return issued.Load() == clients && underWay() })
					settle()
					cancelled = time.Now()
					cancel()
				})
				got := &collector{}
				if err := engine.Run(ctx, 0, unpaced{}, got); err != nil {
					t.Error(err)
				}
				ended := time.Now()
				helper.Wait()
				if took := ended.Sub(cancelled); took > grace+5*time.Second {
					t.Errorf("the calls went on for %v", took)
				}
				if got.count() != clients {
					t.Errorf("%d calls are recorded, of %d", got.count(), clients)
				}
				for _, s := range got.sorted() {
					if s.Class != evidence.Timeout || s.Code != c.code {
						t.Errorf("%+v", s)
					}
				}
			})
		}
	})
}

// TestConnectionsEndWithTheRun: the target is left with none.
func TestConnectionsEndWithTheRun(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		var open atomic.Int64
		server := newScripted(t, listen(t), func(p *peer) {
			open.Add(1)
			defer open.Add(-1)
			always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(p)
		})
		spec := get("/")
		spec.HTTP.Transport = transport
		calls(t, spec, 5, server.addr)
		poll(func() bool { return open.Load() == 0 })
		if n := open.Load(); n != 0 || server.conns.Load() == 0 {
			t.Errorf("%d connections of %d are open", n, server.conns.Load())
		}
	})
}

// TestLargeBodiesTakeNoMemory: bodies are counted, and not kept.
func TestLargeBodiesTakeNoMemory(t *testing.T) {
	const size, n = 4 << 20, 64
	for _, transport := range []string{Fast, Standard} {
		for name, head := range map[string]string{
			"sized":   fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size),
			"chunked": fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", size),
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				body := make([]byte, size)
				server := newScripted(t, listen(t), func(p *peer) {
					for p.request() {
						p.say(head)
						_, _ = p.Write(body)
						if name == "chunked" {
							p.say("\r\n0\r\n\r\n")
						}
					}
				})
				spec := get("/")
				spec.Name, spec.Clients, spec.Timeout, spec.HTTP.Transport = "l", n, time.Minute, transport
				engine, err := spec.Engine(Env{Addrs: []string{server.addr}, Clock: evidence.NewClock(), End: time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := &upTo{collector: &collector{}, n: n, stop: cancel}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if err := engine.Run(ctx, 0, unpaced{}, got); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				whole := 0
				for _, s := range got.sorted() {
					if s.Class == evidence.Timeout { // under way when the run was over, on a slow machine
						continue
					}
					if s.Class != evidence.OK || s.Bytes != size {
						t.Fatalf("%+v", s)
					}
					whole++
				}
				if whole < n {
					t.Fatalf("%d whole bodies, want %d at least", whole, n)
				}
				// Each connection has its buffers, on both sides.
				if used := after.TotalAlloc - before.TotalAlloc; used > n*size/4 {
					t.Errorf("%d MiB were allocated for %d bodies of %d MiB", used>>20, n, size>>20)
				}
			})
		}
	}
}

// TestSameRequests: both transports put the same bytes on the wire.
func TestSameRequests(t *testing.T) {
	t.Parallel()
	bearer := "{{.Seq}}"
	for name, h := range map[string]HTTP{
		"get":       {Get: "/a%20b/c?d=e&f"},
		"head":      {Head: "/"},
		"delete":    {Delete: "/x"},
		"post":      {Post: "/", Body: "plain"},
		"empty":     {Post: "/"},
		"put":       {Put: "/", Body: map[string]any{"a": 1}},
		"templates": {Patch: "/{{.Seq}}?x={{.Seq}}", Body: "n{{.Seq}}", Headers: map[string]string{"X-N": "{{.Seq}}"}},
		"headers":   {Get: "/", Headers: map[string]string{"host": "elsewhere.example", "user-agent": "me", "accept-encoding": "br", "Expect": "100-continue"}},
		"basic":     {Get: "/", Auth: &Auth{Basic: &Basic{User: "u", Password: "p"}}},
		"bearer":    {Get: "/", Auth: &Auth{Bearer: &bearer}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := map[string]string{}
			for _, transport := range []string{Fast, Standard} {
				var mu sync.Mutex
				var all bytes.Buffer
				server := newScripted(t, listen(t), func(p *peer) {
					p.br = bufio.NewReader(io.TeeReader(p.br, lockedWriter{&mu, &all}))
					always("HTTP/1.1 204 No Content\r\n\r\n")(p)
				})
				h := h
				h.Target, h.Transport = "t", transport
				calls(t, Spec{HTTP: &h}, 3, server.addr)
				mu.Lock()
				text := strings.ReplaceAll(all.String(), server.addr, "ADDR")
				mu.Unlock()
				// A fourth call may have begun before the cancel.
				first := strings.SplitAfterN(text, " /", 5)
				said[transport] = strings.Join(first[:4], "")
			}
			if said[Fast] != said[Standard] || !strings.Contains(said[Fast], "HTTP/1.1\r\n") {
				t.Errorf("fast sends\n%s\nstandard sends\n%s", said[Fast], said[Standard])
			}
		})
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// TestHTTP2OverTLS: net/http does not speak it by itself through a dialer that
// is not its own.
func TestHTTP2OverTLS(t *testing.T) {
	t.Parallel()
	for transport, want := range map[string]int32{Standard: 2, Fast: 1, "": 2} {
		var major atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			major.Store(int32(r.ProtoMajor)) //nolint:gosec // 1 or 2
			w.Header().Set("X-Degraded", "a bit")
			_, _ = w.Write([]byte("hello"))
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		spec := get("/")
		spec.HTTP.Transport, spec.HTTP.TLS = transport, &TLS{Insecure: true}
		addr := strings.TrimPrefix(server.URL, "https://")
		compare(t, calls(t, spec, 2, server.URL), []recorded{{evidence.OK, 200, 5, "a bit", addr}, {evidence.OK, 200, 5, "a bit", addr}}, "")
		if major.Load() != want {
			t.Errorf("%q speaks HTTP/%d, want HTTP/%d", transport, major.Load(), want)
		}
		server.Close()
	}
}

// TestHTTP2StartsTogether: while the first connection is made, net/http has
// calls wait, and asks again for a connection when it speaks HTTP/2. That is no
// second attempt at a call.
func TestHTTP2StartsTogether(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for range 10 {
		spec := get("/")
		spec.Name, spec.Clients, spec.Timeout, spec.HTTP.TLS = "l", 20, time.Minute, &TLS{Insecure: true}
		engine, err := spec.Engine(Env{Addrs: []string{server.URL}, Clock: evidence.NewClock(), End: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		got := &upTo{collector: &collector{}, n: 100, stop: cancel}
		if err := engine.Run(ctx, 0, unpaced{}, got); err != nil {
			t.Fatal(err)
		}
		n := got.classes()
		if cut := n[evidence.Timeout]; n[evidence.OK] < 100 || n[evidence.OK]+cut != got.count() { // cut short by the end of the run, on a slow machine
			t.Fatalf("calls by class: %v", n)
		}
	}
}

// TestInvalidHeadersAreNotSent: a value from a data file cannot add a header of
// its own to the request.
func TestInvalidHeadersAreNotSent(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.json"), []byte(`[{"id": "good"}, {"id": "bad\r\nX-Own: 1"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	eachTransport(t, func(t *testing.T, transport string) {
		server := newScripted(t, listen(t), always("HTTP/1.1 204 No Content\r\n\r\n"))
		spec := get("/")
		spec.HTTP.Transport, spec.HTTP.Headers, spec.HTTP.Data = transport, map[string]string{"X-Id": "{{.Row.id}}"}, &Data{JSON: "d.json"}
		got := inTurn(t, spec, 2, Env{Addrs: []string{server.addr}, Dir: dir}, nil)
		compare(t, got, []recorded{ok(204, 0), failed(evidence.Other)}, server.addr)
	})
}
