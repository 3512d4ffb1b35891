package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"ordeal/runner/evidence"
)

// httpEngine makes HTTP calls through Vegeta's Attacker. The attacker hands the
// calls out to its workers; everything that is measured is measured here, in a
// RoundTripper that takes the place of the network for Vegeta, because
// Vegeta's own results
//   - are stamped inside the worker, so that the wait for a worker is lost,
//   - carry an error as a string, with a new ephemeral port in each,
//   - hold the whole body, or with MaxBody(0) say that it was empty.
//
// What Vegeta adds to a request (X-Vegeta-Seq) ends here as well and is never
// on the wire.
type httpEngine struct {
	spec     *Spec
	env      Env
	requests *requests
}

func newHTTPEngine(spec *Spec, env Env) (*httpEngine, error) {
	requests, err := newRequests(spec, env)
	if err != nil {
		return nil, err
	}
	return &httpEngine{spec, env, requests}, nil
}

// Run implements Engine.
func (e *httpEngine) Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error {
	calls, end := outlive(ctx)
	defer end()
	transport := newTransport(calls, e.spec.timeout(), e.spec.inFlight())
	pace := newPacer(ctx, e.spec, e.env, start, s)
	defer pace.close()
	caller := &httpCaller{
		ctx: calls, timeout: e.spec.timeout(), env: e.env, out: out,
		requests: e.requests, transport: transport, pacer: pace,
		backends: newLabels(), marks: newLabels(),
	}
	// An attacker is good for one attack, so each Run has its own. Workers start
	// as they are needed, up to the cap that the pacer's slots already keep.
	workers := uint64(e.spec.inFlight())
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: caller}),
		vegeta.Workers(min(workers, 16)),
		vegeta.MaxWorkers(workers),
	)
	// The attack ends by itself when the pacer stops: Stop would wait out a
	// sleep of the pacer and leave calls without a result. A targeter that
	// fails would stop the attack, so this one cannot.
	targeter := func(t *vegeta.Target) error {
		t.Method, t.URL = http.MethodGet, "http://target.invalid/"
		return nil
	}
	for range attacker.Attack(targeter, pace, 0, "") {
		continue // recorded already, by the caller
	}
	end() // dials that no call waits for any more
	transport.CloseIdleConnections()
	return nil
}

// newTransport is net/http's transport without what makes a run depend on its
// surroundings: no proxy from the environment, no transparent gzip, and as many
// idle connections kept as there can be calls.
func newTransport(ctx context.Context, timeout time.Duration, workers int) *http.Transport {
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(call context.Context, network, addr string) (conn net.Conn, err error) {
			err = whileRunning(ctx, call, func(dial context.Context) error {
				conn, err = dialer.DialContext(dial, network, addr)
				return err
			})
			return conn, err
		},
		MaxIdleConnsPerHost: workers,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: timeout,
		DisableCompression:  true,
	}
}

// whileRunning calls dial with a context that ends with the run as well as with
// the call's own: net/http lets a dial outlive the call that asked for it, but
// it must not outlive the run.
func whileRunning(run, call context.Context, dial func(context.Context) error) error {
	if err := run.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(call)
	defer cancel()
	defer context.AfterFunc(run, cancel)()
	return dial(ctx)
}

// httpCaller makes and records one call for each request that Vegeta hands it.
type httpCaller struct {
	ctx       context.Context
	timeout   time.Duration
	env       Env
	out       evidence.Sink
	requests  *requests
	transport http.RoundTripper
	pacer     *pacer
	backends  *labels
	marks     *labels
}

// RoundTrip makes call X-Vegeta-Seq. Vegeta sees an empty answer, whatever
// happened.
func (c *httpCaller) RoundTrip(ticket *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(ticket.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, err // Vegeta sets it on every request
	}
	s := c.call(seq)
	c.out.Sample(s)
	c.pacer.release(s.Class)
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: http.NoBody, Request: ticket}, nil
}

// call makes call seq and reads the answer to its end.
func (c *httpCaller) call(seq uint64) evidence.Sample {
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	defer cancel()
	s := evidence.Sample{Load: c.env.Index, Seq: seq, Class: evidence.Other}
	req, err := c.requests.make(ctx, seq)
	s.Sent = c.env.Clock.Now()
	s.Intended = c.pacer.intended(seq, s.Sent)
	if err == nil {
		c.send(req, &s)
	}
	s.Done = c.env.Clock.Now()
	return s
}

func (c *httpCaller) send(req *http.Request, s *evidence.Sample) {
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		s.Class = classify(err)
		return
	}
	s.Code, s.Class = res.StatusCode, classOf(res.StatusCode)
	s.Bytes, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err != nil {
		s.Class = classify(err)
	}
	s.Mark = c.marks.keep(res.Header.Get("X-Degraded"))
	if s.Backend = c.backends.keep(res.Header.Get("X-Served-By")); s.Backend == "" {
		s.Backend = c.backends.keep(req.URL.Host)
	}
}
