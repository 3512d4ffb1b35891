package load

import (
	"context"
	"net/http"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"ordeal/runner/evidence"
)

// httpEngine makes HTTP calls through Vegeta's Attacker. The attacker starts
// workers and hands the calls out to them; everything that is measured is
// measured here, in a RoundTripper that takes the place of the network for
// Vegeta, because Vegeta's own results
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
	connect  connect
}

// httpTransport makes calls.
type httpTransport interface {
	// call makes the request of call s.Seq, has the moment stamped before anything
	// of it is sent, and reads the answer to its end. It fills s; Done only where it
	// has ended before call returns.
	call(c *httpCaller, s *evidence.Sample)
	// close ends what the transport keeps open. No call may be under way.
	close()
}

func newHTTPEngine(spec *Spec, env Env) (*httpEngine, error) {
	if spec.Secure {
		env.Addrs = secure(env.Addrs)
	}
	requests, err := newRequests(spec, env)
	if err != nil {
		return nil, err
	}
	tls, err := spec.HTTP.TLS.config(env.Dir)
	if err != nil {
		return nil, err
	}
	return &httpEngine{spec, env, requests, connect{timeout: spec.timeout(), tls: tls, clock: env.Clock}}, nil
}

// secure gives the addresses with their scheme.
func secure(addrs []string) []string {
	with := make([]string, len(addrs))
	for i, addr := range addrs {
		if with[i] = addr; !strings.Contains(addr, "://") {
			with[i] = "https://" + addr
		}
	}
	return with
}

// transport gives the transport of one run, whose calls end when ctx does.
func (e *httpEngine) transport(ctx context.Context) httpTransport {
	secure := e.requests.places[0].base.Scheme == "https"
	connect := e.connect
	connect.run = ctx
	if e.spec.HTTP.transport(secure) == Standard {
		return newStandard(connect, e.requests, e.env.Members, e.spec.inFlight())
	}
	return newFast(connect, e.requests, e.env.Members, e.spec.inFlight())
}

// Run implements Engine.
func (e *httpEngine) Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error {
	calls, end := outlive(ctx)
	defer end()
	transport := e.transport(calls)
	pace := newPacer(ctx, e.spec, e.env, start, s)
	defer pace.close()
	caller := newHTTPCaller(e.env, out, transport, pace)
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
	for range attacker.Attack(ticket, pace, 0, "") {
		continue // recorded already, by the caller
	}
	end() // dials that no call waits for any more
	transport.close()
	return nil
}

// ticket is all that Vegeta knows of a call. It takes the URL apart for each.
func ticket(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://t"
	return nil
}

// httpCaller makes and records the calls that Vegeta hands out.
type httpCaller struct {
	env       Env
	out       evidence.Sink
	transport httpTransport
	pacer     *pacer
	backends  *labels
	marks     *labels
	done      *http.Response // what Vegeta is told, whatever happened
}

func newHTTPCaller(env Env, out evidence.Sink, transport httpTransport, pacer *pacer) *httpCaller {
	return &httpCaller{
		env: env, out: out, transport: transport, pacer: pacer, backends: newLabels(), marks: newLabels(),
		done: &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: http.NoBody},
	}
}

// RoundTrip makes the next call, and those that the pacer has for this worker
// after it, without asking Vegeta for each of them.
func (c *httpCaller) RoundTrip(*http.Request) (*http.Response, error) {
	worker := newFreeWorker()
	var s evidence.Sample // one for all: it is on the heap, as the transport is not known to the compiler
	for more := true; more; {
		s = evidence.Sample{Load: c.env.Index, Seq: c.pacer.next(), Class: evidence.Other}
		c.transport.call(c, &s)
		if s.Done == 0 {
			s.Done = c.env.Clock.Now()
		}
		c.out.Sample(s)
		more = c.pacer.again(worker, s.Class, s.Done)
	}
	return c.done, nil
}

// nowhere notes that there is nobody to make the call to: it is refused.
func (c *httpCaller) nowhere(s *evidence.Sample) {
	c.stamp(s)
	s.Class = evidence.Refused
}

// stamp notes that the call starts now.
func (c *httpCaller) stamp(s *evidence.Sample) {
	s.Sent = c.env.Clock.Now()
	s.Intended = c.pacer.intended(s.Seq, s.Sent)
}

// answered notes who answered, and how.
func (c *httpCaller) answered(s *evidence.Sample, backend, mark []byte, host string) {
	s.Mark = c.marks.keepBytes(mark)
	if s.Backend = c.backends.keepBytes(backend); s.Backend == "" {
		s.Backend = host
	}
}
