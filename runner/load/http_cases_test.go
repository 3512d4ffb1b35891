package load

import (
	"net"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// wireTest is one case.
type wireTest struct {
	name     string
	script   func(*peer)
	spec     func(*Spec) // makes it of GET /
	between  func(*scripted)
	want     []recorded // of each call
	conns    int64      // that the server sees; 0 for any number
	requests int64      // that the server sees; 0 for any number
}

const brief = time.Second

func soon(s *Spec) { s.Timeout = brief }

func post(n int) func(*Spec) {
	return func(s *Spec) { s.HTTP = &HTTP{Target: "t", Post: "/", Body: strings.Repeat("x", n)} }
}

// noticed lets the server end the connection, and waits until the client has
// had time to see that: net/http closes its side then, the fast transport looks
// at its next call.
func noticed(s *scripted) {
	select {
	case s.goOn <- struct{}{}:
	default:
	}
	select {
	case <-s.left:
	case <-time.After(500 * time.Millisecond):
	}
}

func answerTests() []wireTest {
	head := func(n int) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: " + strings.Repeat("x", n) + "\r\nX-Served-By: far\r\n\r\nok"
	}
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	far := recorded{class: evidence.OK, code: 200, bytes: 2, by: "far"}
	return []wireTest{
		{name: "labels", script: always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-served-by: a\r\nX-DEGRADED: stale\r\n\r\nok"),
			want: []recorded{{evidence.OK, 200, 2, "stale", "a"}, {evidence.OK, 200, 2, "stale", "a"}}, conns: 1},
		{name: "redirect", script: always("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\nthere"),
			want: []recorded{ok(302, 5), ok(302, 5)}, conns: 1, requests: 2},
		{name: "client error", script: always("HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n\r\n"),
			want: []recorded{{class: evidence.HTTP4xx, code: 429}}},
		{name: "server error without a reason", script: always("HTTP/1.1 503\r\nContent-Length: 1\r\n\r\nx"),
			want: []recorded{{class: evidence.HTTP5xx, code: 503, bytes: 1}}},
		{name: "chunks", script: always(chunked + "5\r\nhello\r\nA;why=not\r\n0123456789\r\n0\r\n\r\n"),
			want: []recorded{ok(200, 15), ok(200, 15)}, conns: 1},
		{name: "chunks with trailers", script: always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Degraded\r\n\r\n" +
			"5\r\nhello\r\n0\r\nX-Degraded: late\r\nX-Sum: 1\r\n\r\n"), want: []recorded{ok(200, 5), ok(200, 5)}, conns: 1},
		{name: "many chunks", script: always(chunked + strings.Repeat("400\r\n"+strings.Repeat("c", 0x400)+"\r\n", 1000) + "0\r\n\r\n"),
			want: []recorded{ok(200, 1024000), ok(200, 1024000)}, conns: 1},
		{name: "large body", script: always("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + strings.Repeat("b", 3000000)),
			want: []recorded{ok(200, 3000000), ok(200, 3000000)}, conns: 1},
		{name: "continue", script: always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 1},
		{name: "early hints", script: always("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Served-By: hint\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), want: []recorded{ok(200, 2), ok(200, 2)}, conns: 1},
		{name: "switching protocols", script: stuck("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
			want: []recorded{ok(101, 0), ok(101, 0)}, conns: 2},
		{name: "HEAD", script: always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
			spec: func(s *Spec) { s.HTTP = &HTTP{Target: "t", Head: "/"} }, want: []recorded{ok(200, 0), ok(200, 0)}, conns: 1},
		{name: "HEAD of chunks", script: always(chunked),
			spec: func(s *Spec) { s.HTTP = &HTTP{Target: "t", Head: "/"} }, want: []recorded{ok(200, 0), ok(200, 0)}, conns: 1},
		{name: "no content", script: always("HTTP/1.1 204 No Content\r\n\r\n"), want: []recorded{ok(204, 0), ok(204, 0)}, conns: 1},
		{name: "not modified", script: always("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), want: []recorded{ok(304, 0), ok(304, 0)}, conns: 1},
		{name: "gzip is counted as it comes", script: always("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
			want: []recorded{ok(200, 4), ok(200, 4)}, conns: 1},
		{name: "headers of 5 KiB", script: always(head(5 << 10)), want: []recorded{far, far}, conns: 1},
		{name: "headers of 100 KiB", script: always(head(100 << 10)), want: []recorded{far, far}, conns: 1},
		{name: "headers of 9 MiB", script: always(head(9 << 20)), want: []recorded{far, far}, conns: 1},
		{name: "headers of 11 MiB", script: always(head(11 << 20)), want: []recorded{failed(evidence.Other)}},
		{name: "a body without a length", script: one("HTTP/1.1 200 OK\r\n\r\nuntil the end"), want: []recorded{ok(200, 13), ok(200, 13)}, conns: 2},
		{name: "HTTP/1.0", script: one("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2},
		{name: "HTTP/1.0, kept", script: always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"),
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 1},
		{name: "connection: close", script: always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2},
		{name: "connection: Close in a list", script: always("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok"),
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2},
		{name: "more than the answer", script: always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more"),
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2, between: noticed},
		{name: "an answer before the request is read", script: func(p *peer) {
			_, _ = p.br.Peek(1)
			p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			<-p.over
		}, spec: post(8 << 20), want: []recorded{{class: evidence.HTTP4xx, code: 413, bytes: 2}, {class: evidence.HTTP4xx, code: 413, bytes: 2}}, conns: 2},
		{name: "a large request", script: always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), spec: post(1 << 20), want: []recorded{ok(200, 2), ok(200, 2)}, conns: 1},
	}
}

func failureTests() []wireTest {
	const sized, chunked = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	part := func(class evidence.Class, n int64) []recorded {
		return []recorded{{class: class, code: 200, bytes: n}}
	}
	first := func(then func(*peer)) func(*peer) { // one good answer, then something else
		return func(p *peer) {
			if p.n > 1 {
				always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(p)
				return
			}
			if p.request() {
				p.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
			then(p)
		}
	}
	hangUp := func(p *peer) {
		<-p.goOn
		_ = p.Conn.(*net.TCPConn).CloseWrite()
		p.linger()
	}
	tests := []wireTest{
		{name: "reset before the answer", script: reset(""), want: []recorded{failed(evidence.Reset)}, requests: 1},
		{name: "end before the answer", script: one(""), want: []recorded{failed(evidence.Reset)}, requests: 1},
		{name: "end in the headers", script: one("HTTP/1.1 200 OK\r\nContent-"), want: []recorded{failed(evidence.Reset)}},
		{name: "reset in the headers", script: reset("HTTP/1.1 200 OK\r\nContent-"), want: []recorded{failed(evidence.Reset)}},
		{name: "end in the body", script: one(sized + "a part"), want: part(evidence.Reset, 6)},
		{name: "reset in the body", script: reset(sized + "a part"), want: part(evidence.Reset, 6)},
		{name: "end in a chunk", script: one(chunked + "A\r\n01234"), want: part(evidence.Reset, 5)},
		{name: "reset in a chunk", script: reset(chunked + "A\r\n01234"), want: part(evidence.Reset, 5)},
		{name: "end between chunks", script: one(chunked + "5\r\n01234\r\n"), want: part(evidence.Reset, 5)},
		{name: "end before the trailers", script: one(chunked + "5\r\n01234\r\n0\r\n"), want: part(evidence.Reset, 5)},
		{name: "reset in a body without a length", script: reset("HTTP/1.1 200 OK\r\n\r\nabc"), want: part(evidence.Reset, 3)},
		{name: "no time for the headers", spec: soon, script: stuck(""), want: []recorded{failed(evidence.Timeout)}},
		{name: "no time for all headers", spec: soon, script: stuck("HTTP/1.1 200 OK\r\nX-"), want: []recorded{failed(evidence.Timeout)}},
		{name: "no time after an interim answer", spec: soon, script: stuck("HTTP/1.1 103 Early Hints\r\n\r\n"), want: []recorded{failed(evidence.Timeout)}},
		{name: "no time for the body", spec: soon, script: stuck(sized + "a part"), want: part(evidence.Timeout, 6)},
		{name: "no time for the chunks", spec: soon, script: stuck(chunked + "A\r\n01234"), want: part(evidence.Timeout, 5)},
		{name: "no time for the request", spec: func(s *Spec) { post(16 << 20)(s); soon(s) },
			script: func(p *peer) { <-p.over }, want: []recorded{failed(evidence.Timeout)}},
		{name: "a drip of a body", spec: soon, script: func(p *peer) {
			if !p.request() {
				return
			}
			p.say(sized)
			for { // each byte in time, the whole too late
				if _, err := p.Write([]byte("x")); err != nil {
					return
				}
				select {
				case <-p.over:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, want: []recorded{{class: evidence.Timeout, code: 200, bytes: -1}}},
		{name: "malformed chunk", script: stuck(chunked + "what\r\n"), want: part(evidence.Other, 0)},
		{name: "closed while idle", script: first(hangUp), between: noticed, want: []recorded{ok(200, 2), ok(200, 2), ok(200, 2)}, conns: 2, requests: 3},
		{name: "closed while idle, with a body", spec: post(10), script: first(hangUp), between: noticed, want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2, requests: 2},
		{name: "reset while idle", script: first(func(p *peer) { <-p.goOn; p.reset() }), between: noticed,
			want: []recorded{ok(200, 2), ok(200, 2)}, conns: 2, requests: 2},
		// Nothing is sent twice: net/http would repeat a GET, and hide these. It may
		// have begun to connect for that, so connections are not counted here.
		{name: "ended in the second call", script: first(func(p *peer) { p.request() }), want: []recorded{ok(200, 2), failed(evidence.Reset), ok(200, 2)}, requests: 3},
		{name: "reset in the second call", script: first(func(p *peer) { p.request(); p.reset() }),
			want: []recorded{ok(200, 2), failed(evidence.Reset), ok(200, 2)}, requests: 3},
		{name: "reset in the second call, with a body", spec: post(10), script: first(func(p *peer) { p.request(); p.reset() }),
			want: []recorded{ok(200, 2), failed(evidence.Reset), ok(200, 2)}, conns: 2, requests: 3},
	}
	for name, answer := range map[string]string{
		"no HTTP": "this is not HTTP\r\n\r\n", "no status": "HTTP/1.1 \r\n\r\n", "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
		"a header without a colon": "HTTP/1.1 200 OK\r\nwhat is this\r\n\r\n", "a header without a name": "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"a length below zero": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a length that is no number": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"two lengths":         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
		"an unknown encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\n", "an empty line first, then no HTTP": "\r\nwhat\r\n\r\n",
	} {
		tests = append(tests, wireTest{name: "malformed: " + name, script: stuck(answer), want: []recorded{failed(evidence.Other)}})
	}
	return tests
}
