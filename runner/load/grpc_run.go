package load

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"ordeal/runner/evidence"
)

// grpcRun records the calls of one Run. What belongs to a call hangs on the
// worker that makes it, so that calls have nothing in common to wait for.
type grpcRun struct {
	engine   *grpcEngine
	env      Env
	addrs    []string
	out      evidence.Sink
	pacer    *pacer
	timeout  time.Duration
	stream   streamBounds
	backends *labels

	workers atomic.Pointer[[]*grpcWorker] // by number; a new slice with each worker that is added
	ended   atomic.Bool                   // our own end has come: the connections are being closed
	waiting sync.WaitGroup                // for calls that end with their context
}

// callKey is the metadata under which the number of a call's worker goes
// through ghz and gRPC to the picker. A name with a colon is reserved for HTTP/2
// itself, so gRPC leaves it out when it writes the headers: the target never
// sees it.
const callKey = ":ordeal-call"

// hire makes n more workers known. It is called from one goroutine.
func (r *grpcRun) hire(n int) {
	var all []*grpcWorker
	if old := r.workers.Load(); old != nil {
		all = append(all, *old...)
	}
	for range n {
		all = append(all, newGRPCWorker(r, len(all)))
	}
	r.workers.Store(&all)
}

// worker finds a worker by the name that ghz has given it, "g" and its number,
// "c" and that of its connection.
func (r *grpcRun) worker(name string) *grpcWorker {
	n := 0
	for _, digit := range []byte(name[1:]) {
		if digit == 'c' {
			break
		}
		n = n*10 + int(digit-'0')
	}
	return (*r.workers.Load())[n]
}

// callOf gives the call that a gRPC context belongs to, nil for none.
func (r *grpcRun) callOf(ctx context.Context) *grpcCall {
	md, _ := metadata.FromOutgoingContext(ctx)
	values := md[callKey]
	if len(values) == 0 {
		return nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil {
		return nil
	}
	return (*r.workers.Load())[n].call.Load()
}

// number gives the number of a call that ghz counts as the given one; false for
// a call of a closed model that was let go in advance (see crew), and whose
// turn came when the time for calls was over.
func (r *grpcRun) number(ghz uint64) (seq uint64, ok bool) {
	p := r.pacer
	if !p.closed {
		return ghz, true
	}
	if p.ctx.Err() == nil && r.env.Clock.Now() < p.end {
		return p.next(), true
	}
	p.slots.give()
	if p.issued != nil {
		p.issued.Add(-1)
	}
	return 0, false
}

// idle reports whether every call that was begun has ended.
func (r *grpcRun) idle() bool {
	return r.each(func(c *grpcCall) bool { return c.over() })
}

// each asks for the call of every worker, until one answers with false.
func (r *grpcRun) each(ask func(*grpcCall) bool) bool {
	workers := r.workers.Load()
	if workers == nil {
		return true
	}
	for _, w := range *workers {
		if c := w.call.Load(); c != nil && !ask(c) {
			return false
		}
	}
	return true
}

// watch looks from time to time for calls whose time ended before gRPC asked
// for a connection for them: nobody else says so, and a slot is held by each.
func (r *grpcRun) watch() (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		look := time.NewTicker(max(r.timeout/2, 100*time.Millisecond))
		defer look.Stop()
		for {
			select {
			case <-look.C:
				now := r.env.Clock.Now()
				r.each(func(c *grpcCall) bool { c.expire(now); return true })
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// sweep ends what is left when ghz has nothing in flight any more. It returns
// when every call is recorded.
func (r *grpcRun) sweep() {
	r.each(func(c *grpcCall) bool { c.end(); return true })
	r.waiting.Wait()
}
