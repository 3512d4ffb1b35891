package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"ordeal/runner/evidence"
)

// newBareTarget answers each request with the same few bytes, at the least cost
// that a server of Go's can have, so that a benchmark shows the client.
func newBareTarget(b *testing.B) string {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Served-By: bare\r\n\r\nhello")
	return handle(b, func(c net.Conn) {
		br := bufio.NewReader(c)
		for {
			for {
				line, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
}

// cpu is the time that the process has spent on processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// reportCPU adds the processor time of an operation to a benchmark's figures.
// That of the target, in the same process, is a part of it.
func reportCPU(b *testing.B) func() {
	began := cpu()
	return func() { b.ReportMetric(float64((cpu()-began).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// noTransport is the reference: a network that costs nothing.
type noTransport struct{}

func (noTransport) call(c *httpCaller, s *evidence.Sample) {
	c.stamp(s)
	s.Class, s.Code = evidence.OK, http.StatusOK
}

func (noTransport) close() {}

func benchTransport(b *testing.B, name, addr string, clients int) (*httpCaller, func()) {
	spec := get("/")
	spec.Clients, spec.HTTP.Transport = clients, name
	ctx, cancel := context.WithCancel(b.Context())
	engine, err := newHTTPEngine(&spec, Env{Addrs: []string{addr}, Clock: evidence.NewClock(), End: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	var transport httpTransport = noTransport{}
	if name != "none" {
		transport = engine.transport(ctx)
	}
	pace := newPacer(ctx, &spec, engine.env, 0, unpaced{})
	sink := &countdown{stop: cancel}
	sink.left.Store(int64(b.N))
	return newHTTPCaller(engine.env, sink, transport, pace), func() { cancel(); transport.close(); pace.close() }
}

// BenchmarkTransport is the cost of a call on one connection.
func BenchmarkTransport(b *testing.B) {
	for _, name := range []string{Fast, Standard} {
		b.Run(name, func(b *testing.B) {
			caller, end := benchTransport(b, name, newBareTarget(b), 1)
			defer end()
			b.ReportAllocs()
			defer reportCPU(b)()
			var seq uint64
			for b.Loop() {
				s := evidence.Sample{Seq: seq}
				if caller.transport.call(caller, &s); s.Class != evidence.OK || s.Bytes != 5 {
					b.Fatalf("%+v", s)
				}
				seq++
			}
		})
	}
}

// BenchmarkTransportRequests is the cost of a call whose request differs from
// call to call, or whose answer is large.
func BenchmarkTransportRequests(b *testing.B) {
	for name, h := range map[string]HTTP{
		"templates": {Post: "/users/{{.Seq}}", Body: map[string]any{"name": "u{{.Seq}}"}},
		"jwt":       {Get: "/", Auth: &Auth{JWT: &JWT{Key: "k"}}},
	} {
		b.Run(name, func(b *testing.B) {
			spec := Spec{Name: "l", HTTP: &h}
			requests, err := newRequests(&spec, Env{Addrs: []string{"127.0.0.1:1"}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var seq uint64
			for b.Loop() {
				w, err := requests.wire(seq, requests.places[0])
				if err != nil {
					b.Fatal(err)
				}
				w.free()
				seq++
			}
		})
	}
	b.Run("10MB", func(b *testing.B) {
		body := bytes.Repeat([]byte("b"), 10<<20)
		addr := handle(b, func(c net.Conn) {
			br := bufio.NewReader(c)
			for {
				r, err := http.ReadRequest(br)
				if err != nil || r.Body.Close() != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
				_, _ = c.Write(body)
			}
		})
		caller, end := benchTransport(b, Fast, addr, 1)
		defer end()
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			s := evidence.Sample{}
			if caller.transport.call(caller, &s); s.Bytes != int64(len(body)) {
				b.Fatalf("%+v", s)
			}
		}
	})
}

const benchClients = 16

// BenchmarkHTTPEngine is the cost of a call by sixteen clients, with Vegeta and
// the pacer around it. The references are an engine whose network costs nothing
// (what is left is ours), Vegeta's own cost for a hit on such a network, and
// Vegeta with its own transport.
func BenchmarkHTTPEngine(b *testing.B) {
	addr := newBareTarget(b)
	for _, name := range []string{Fast, Standard, "none"} {
		b.Run(name, func(b *testing.B) {
			caller, end := benchTransport(b, name, addr, benchClients)
			defer end()
			benchAttack(b, caller, caller.pacer, "")
		})
	}
	b.Run("vegeta-none", func(b *testing.B) {
		benchAttack(b, answered{}, freely(uint64(b.N)), "")
	})
	b.Run("vegeta", func(b *testing.B) {
		transport := &http.Transport{MaxIdleConnsPerHost: benchClients}
		defer transport.CloseIdleConnections()
		benchAttack(b, transport, freely(uint64(b.N)), addr)
	})
}

// BenchmarkOpenEngine is the cost of a call of an open model that is behind its
// schedule, so that each call is handed out as soon as it can be.
func BenchmarkOpenEngine(b *testing.B) {
	addr := newBareTarget(b)
	for _, name := range []string{Fast, Standard, "none"} {
		b.Run(name, func(b *testing.B) {
			caller, end := benchTransport(b, name, addr, benchClients)
			defer end()
			caller.pacer.closed = false
			benchAttack(b, caller, caller.pacer, "")
		})
	}
}

func benchAttack(b *testing.B, transport http.RoundTripper, pacer vegeta.Pacer, addr string) {
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: transport}),
		vegeta.Workers(benchClients), vegeta.MaxWorkers(benchClients))
	targeter := vegeta.Targeter(ticket)
	if addr != "" {
		targeter = vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: "http://" + addr + "/"})
	}
	b.ReportAllocs()
	b.ResetTimer()
	defer reportCPU(b)()
	for r := range attacker.Attack(targeter, pacer, 0, "") {
		if r.Error != "" && !strings.Contains(r.Error, "canceled") {
			b.Fatal(r.Error)
		}
	}
}

// freely lets so many hits go at once.
type freely uint64

func (n freely) Pace(_ time.Duration, hits uint64) (time.Duration, bool) { return 0, hits >= uint64(n) }
func (freely) Rate(time.Duration) float64                                { return 0 }

// answered is a network that costs nothing.
type answered struct{}

func (answered) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// BenchmarkPacer is what the pacer adds to a call that is due already.
func BenchmarkPacer(b *testing.B) {
	spec := Spec{Rate: holdAt(1e6), Workers: 10}
	whole, err := spec.Schedule(phases(500*time.Second), 1)
	if err != nil {
		b.Fatal(err)
	}
	clock := evidence.NewClock()
	p := newPacer(b.Context(), &spec, Env{Clock: clock, End: time.Hour}, clock.Now()-time.Hour/2, whole)
	defer p.close()
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		if _, stop := p.Pace(0, n); stop {
			b.Fatal("it stops")
		}
		p.intended(p.next(), 0)
		p.release(evidence.OK)
		n++
	}
}

// lags is a sink that keeps by how much calls were sent late.
type lags struct {
	mu  sync.Mutex
	lag []time.Duration
}

func (l *lags) Sample(s evidence.Sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lag = append(l.lag, s.Lag())
}
func (*lags) Message(evidence.Message) {}
func (*lags) Event(evidence.Event)     {}
func (*lags) Point(evidence.Point)     {}

// BenchmarkPacing is by how much calls are sent late, and what that takes of the
// processors, at rates up to what one processor can send. The time of an
// operation is the rate's.
func BenchmarkPacing(b *testing.B) {
	addr := newBareTarget(b)
	for _, rate := range []float64{500, 5000, 20000} {
		b.Run(fmt.Sprintf("%.0f per s", rate), func(b *testing.B) {
			spec := get("/")
			spec.Rate, spec.Arrivals = holdAt(rate), "poisson"
			length := time.Duration(float64(b.N) / rate * 1e9)
			clock := evidence.NewClock()
			engine, err := spec.Engine(Env{Addrs: []string{addr}, Clock: clock, End: length})
			if err != nil {
				b.Fatal(err)
			}
			whole, err := spec.Schedule(phases(length), 1)
			if err != nil {
				b.Fatal(err)
			}
			got := &lags{}
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b)()
			if err := engine.Run(b.Context(), clock.Now()+time.Millisecond, whole, got); err != nil {
				b.Fatal(err)
			}
			slices.Sort(got.lag)
			if n := len(got.lag); n > 0 {
				b.ReportMetric(float64(got.lag[n/2].Microseconds()), "µs-lag-p50")
				b.ReportMetric(float64(got.lag[n*99/100].Microseconds()), "µs-lag-p99")
			}
		})
	}
}
