package load

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// headTests are answers whose headers are read by one parser and by another.
func headTests() []wireTest {
	const fine = "HTTP/1.1 200 OK\r\n"
	asHEAD := func(s *Spec) { s.HTTP = &HTTP{Target: "t", Head: "/"} }
	twice := func(code int, bytes int64) []recorded { return []recorded{ok(code, bytes), ok(code, bytes)} }
	far := recorded{evidence.OK, 200, 2, "stale", "far"}
	return []wireTest{
		{name: "HEAD without a length", script: always(fine + "\r\n"), spec: asHEAD, want: twice(200, 0), conns: 1},
		{name: "HEAD without a length, closed", script: always(fine + "Connection: close\r\n\r\n"), spec: asHEAD, want: twice(200, 0), conns: 2},
		{name: "HEAD, odd", script: always("HTTP/1.1 200 OK\n\n"), spec: asHEAD, want: twice(200, 0), conns: 1},
		{name: "bare line feeds", script: always("HTTP/1.1 200 OK\nX-Served-By: far\nX-Degraded: stale\nContent-Length: 2\n\nok"),
			want: []recorded{far, far}, conns: 1},
		{name: "a bare line feed at the end", script: always(fine + "Content-Length: 2\r\n\nok"), want: twice(200, 2), conns: 1},
		{name: "a bare line feed before the end", script: always("HTTP/1.1 200 OK\nContent-Length: 2\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "bare line feeds, and an empty line in the body", script: always("HTTP/1.1 200 OK\nContent-Length: 6\n\na\r\n\r\nb"), want: twice(200, 6), conns: 1},
		{name: "bare line feeds, chunks", script: always("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\n\r\n"), want: twice(200, 2), conns: 1},
		{name: "bare line feeds, until the end", script: one("HTTP/1.1 200 OK\n\nok"), want: twice(200, 2), conns: 2},
		{name: "bare line feeds after an interim answer", script: always("HTTP/1.1 103 Early Hints\n\n" + fine + "Content-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "a folded line", script: always(fine + "X-Long: a\r\n  b\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "an upgrade that is none", script: one(fine + "Connection: Upgrade\r\n\r\nok"), want: twice(200, 2), conns: 2},
		{name: "close on the first of two lines", script: always(fine + "Connection: close\r\nConnection: X-Foo\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 2},
		{name: "close on the second of two lines", script: always(fine + "Connection: a\r\nconnection: b, close\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 2},
		{name: "close in a word", script: always(fine + "Connection: closed\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "a request that closes", script: always(fine + "Content-Length: 2\r\n\r\nok"),
			spec: func(s *Spec) { s.HTTP.Headers = map[string]string{"connection": "Close"} }, want: twice(200, 2), conns: 2, requests: 2},
		{name: "HTTP/1.0, kept on the second line", script: always("HTTP/1.0 200 OK\r\nConnection: x\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"),
			want: twice(200, 2), conns: 1},
		{name: "one length twice", script: always(fine + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "a trailer that is forbidden, announced", script: always(fine + "Trailer: Host\r\nContent-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
		{name: "a length announced as a trailer", script: stuck(fine + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n"),
			want: []recorded{failed(evidence.Other)}},
		{name: "an empty line first", script: stuck("\r\n" + fine + "Content-Length: 2\r\n\r\nok"), want: []recorded{failed(evidence.Other)}},
		{name: "a bad line before the end", script: stuck(fine + "what is this\r\nX-"), want: []recorded{failed(evidence.Other)}},
		{name: "no time for the last line feed", spec: soon, script: stuck("HTTP/1.1 200 OK\nX-A: b\n"), want: []recorded{failed(evidence.Timeout)}},
		{name: "end in headers of bare line feeds", script: one("HTTP/1.1 200 OK\nX-A: b\n"), want: []recorded{failed(evidence.Reset)}},
		{name: "headers of many lines", script: always(fine + strings.Repeat("X-Line: of many\r\n", 50000) + "Content-Length: 2\r\n\r\nok"), want: twice(200, 2), conns: 1},
	}
}

// TestHandshakesEndWithTheRun, also those that no call waits for any more.
func TestHandshakesEndWithTheRun(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		server := newScripted(t, listen(t), func(p *peer) { p.linger() })
		spec := get("/")
		spec.Name, spec.Clients, spec.Timeout, spec.Secure, spec.HTTP.Transport = "l", 4, time.Hour, true, transport
		engine, err := spec.Engine(Env{Addrs: []string{server.addr}, Clock: evidence.NewClock(), End: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var helper sync.WaitGroup
		helper.Go(func() {
			poll(func() bool { return server.conns.Load() == 4 })
			cancel()
		})
		if err := engine.Run(ctx, 0, unpaced{}, &collector{}); err != nil {
			t.Error(err)
		}
		helper.Wait()
		for n := range server.conns.Load() {
			select {
			case <-server.left:
			case <-time.After(10 * time.Second):
				t.Fatalf("%d of %d connections are left open", server.conns.Load()-n, server.conns.Load())
			}
		}
	})
}

// TestLabelsThatAreKnownTakeNoMemory, nor a lock: one that is too long is cut
// before it is looked for, and one too many is not looked at again.
func TestLabelsThatAreKnownTakeNoMemory(t *testing.T) {
	l := newLabels()
	long := []byte(strings.Repeat("x", 2*maxLabelSize))
	if first := l.keepBytes(long); len(first) != maxLabelSize || first != l.keep(string(long)) {
		t.Errorf("a long label is kept as %q", first)
	}
	for i := range maxLabels {
		l.keepBytes(fmt.Append(nil, "replica-", i))
	}
	l.mu.Lock()
	looked := make(chan float64)
	go func() {
		looked <- testing.AllocsPerRun(100, func() { l.keepBytes(long); l.keepBytes([]byte("request-7")) })
	}()
	select {
	case n := <-looked:
		l.mu.Unlock()
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	case <-time.After(10 * time.Second):
		l.mu.Unlock()
		<-looked
		t.Error("it waits for a lock")
	}
}
