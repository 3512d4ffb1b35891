package load

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// Both transports pass one suite: the same server gives the same evidence.

// recorded is what is recorded of a call.
type recorded struct {
	class evidence.Class
	code  int
	bytes int64
	mark  string
	by    string // "" for the address
}

func ok(code int, bytes int64) recorded {
	return recorded{class: evidence.OK, code: code, bytes: bytes}
}

func failed(class evidence.Class) recorded { return recorded{class: class} }

func eachTransport(t *testing.T, f func(t *testing.T, transport string)) {
	t.Parallel()
	for _, transport := range []string{Fast, Standard} {
		t.Run(transport, func(t *testing.T) { f(t, transport) })
	}
}

func TestTransports(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		for _, c := range slices.Concat(answerTests(), failureTests(), headTests()) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				server := newScripted(t, listen(t), c.script)
				spec := get("/")
				spec.Timeout = 20 * time.Second
				if c.spec != nil {
					c.spec(&spec)
				}
				spec.HTTP.Transport = transport
				var between func()
				if c.between != nil {
					between = func() { c.between(server) }
				}
				got := inTurn(t, spec, len(c.want), Env{Addrs: []string{server.addr}}, between)
				compare(t, got, c.want, server.addr)
				for i := range got {
					if took := got[i].Service(); spec.Timeout > brief && got[i].Class != evidence.Timeout && took > spec.Timeout/2 {
						t.Errorf("call %d ended with %v after %v", i, got[i].Class, took)
					}
				}
				if spec.Timeout == brief { // net/http's runs while the request is made, before the call is sent
					if took := got[0].Service(); took < brief/2 || took > 10*brief {
						t.Errorf("a timeout of %v took %v", brief, took)
					}
				}
				if n := server.conns.Load(); c.conns > 0 && n != c.conns {
					t.Errorf("%d connections, want %d", n, c.conns)
				}
				if n := server.requests.Load(); c.requests > 0 && n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
			})
		}
	})
}

// compare compares samples with what was to be recorded.
func compare(t *testing.T, got []evidence.Sample, want []recorded, addr string) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%d calls of %d", len(got), len(want))
	}
	for i, w := range want {
		s := got[i]
		if w.by == "" && w.code > 0 {
			w.by = addr
		}
		if w.bytes < 0 && s.Bytes > 0 {
			w.bytes = s.Bytes
		}
		if have := (recorded{s.Class, s.Code, s.Bytes, s.Mark, s.Backend}); have != w {
			t.Errorf("call %d is %+v, want %+v", i, have, w)
		}
	}
}

func TestTransportsWithoutConnection(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		spec := get("/")
		spec.HTTP.Transport, spec.Timeout = transport, brief
		lis := listen(t)
		_ = lis.Close()
		compare(t, calls(t, spec, 1, lis.Addr().String()), []recorded{failed(evidence.Refused)}, "")
		got := calls(t, spec, 1, unaccepted(t))
		compare(t, got, []recorded{failed(evidence.Timeout)}, "")
		if took := got[0].Service(); took < brief/2 || took > 10*brief {
			t.Errorf("a timeout of %v took %v", brief, took)
		}
	})
}

func TestTransportsOverIPv6(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		lis, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			t.Skip("no IPv6 here")
		}
		server := newScripted(t, lis, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		spec := get("/")
		spec.HTTP.Transport = transport
		compare(t, calls(t, spec, 2, server.addr), []recorded{ok(200, 2), ok(200, 2)}, server.addr)
	})
}

func TestTransportsOverTLS(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		certified := httptest.NewTLSServer(nil)
		certified.Close()
		dir := t.TempDir()
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
		if err := os.WriteFile(filepath.Join(dir, "ca.pem"), authority, 0o600); err != nil {
			t.Fatal(err)
		}
		lis := tls.NewListener(listen(t), &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12})
		server := newScripted(t, lis, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		silent := newScripted(t, listen(t), func(p *peer) { p.linger() })
		plain := newScripted(t, listen(t), func(p *peer) { _, _ = p.br.Peek(1); p.say("HTTP/1.1 400 Bad Request\r\n\r\n") })
		closing := newScripted(t, listen(t), func(p *peer) { _, _ = p.br.Peek(1) })
		for name, c := range map[string]struct {
			tls  *TLS
			addr string
			want recorded
		}{
			"its authority":     {&TLS{CA: "ca.pem"}, server.addr, ok(200, 2)},
			"its name":          {&TLS{CA: "ca.pem", ServerName: "example.com"}, server.addr, ok(200, 2)},
			"any certificate":   {&TLS{Insecure: true}, server.addr, ok(200, 2)},
			"unknown authority": {nil, server.addr, failed(evidence.Other)},
			"another name":      {&TLS{CA: "ca.pem", ServerName: "another.example"}, server.addr, failed(evidence.Other)},
			"no handshake":      {&TLS{Insecure: true}, silent.addr, failed(evidence.Timeout)},
			"no TLS":            {&TLS{Insecure: true}, plain.addr, failed(evidence.Other)},
			"closed":            {&TLS{Insecure: true}, closing.addr, failed(evidence.Reset)},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				spec := get("/")
				spec.Secure, spec.Timeout = true, 20*time.Second
				if c.want.class == evidence.Timeout {
					spec.Timeout = brief
				}
				spec.HTTP.Transport, spec.HTTP.TLS = transport, c.tls
				compare(t, callsIn(t, spec, 2, Env{Addrs: []string{c.addr}, Dir: dir}), []recorded{c.want, c.want}, c.addr)
			})
		}
	})
}
