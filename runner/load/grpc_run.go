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
	out      evidence.Sink
	pacer    *pacer
	timeout  time.Duration
	stream   streamBounds
	direct   *direct // nil where the calls are streams
	backends *labels

	members  atomic.Pointer[[]Member] // those that are there
	channels channels
	workers  atomic.Pointer[[]*grpcWorker] // by number; a new slice with each worker that is added
	ended    atomic.Bool                   // our own end has come: the connections are being closed
	waiting  sync.WaitGroup                // for calls that end with their context
}

// callKey is the metadata under which the number of a stream's worker goes
// through ghz and gRPC to the picker. A name with a colon is reserved for HTTP/2
// itself, so gRPC leaves it out when it writes the headers: the target never
// sees it.
const callKey = ":ordeal-call"

// hire makes n more workers known, and gives them. It is called from one goroutine
// at a time.
func (r *grpcRun) hire(n int) []*grpcWorker {
	var all []*grpcWorker
	if old := r.workers.Load(); old != nil {
		all = append(all, *old...)
	}
	for range n {
		all = append(all, newGRPCWorker(r, len(all)))
	}
	r.workers.Store(&all)
	return all[len(all)-n:]
}

// hired is how many workers there are.
func (r *grpcRun) hired() int {
	if all := r.workers.Load(); all != nil {
		return len(*all)
	}
	return 0
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
	if w, ok := ctx.Value(workerKey{}).(*grpcWorker); ok {
		return w.call.Load()
	}
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

// number numbers the call that ghz has given to a worker, and counts it as issued.
// It is false for a call of a closed model that was let go in advance (see crew),
// and whose turn came when the time for calls was over.
func (r *grpcRun) number() (seq uint64, ok bool) {
	p := r.pacer
	if p.closed && (p.ctx.Err() != nil || r.env.Clock.Now() >= p.end) {
		p.slots.give()
		return 0, false
	}
	return r.nextCall(), true
}

// nextCall numbers the call that a worker is about to make, and counts it as
// issued.
func (r *grpcRun) nextCall() (seq uint64) {
	if r.env.Issued != nil {
		r.env.Issued.Add(1)
	}
	return r.pacer.next()
}

// idle reports whether every call that Pace let go has ended, be it that its
// worker has not begun it yet.
func (r *grpcRun) idle() bool { return r.pacer.slots.taken.Load() == 0 }

// each does something with the call of every worker.
func (r *grpcRun) each(do func(*grpcCall)) {
	workers := r.workers.Load()
	if workers == nil {
		return
	}
	for _, w := range *workers {
		if c := w.call.Load(); c != nil {
			do(c)
		}
	}
}

// watch looks from time to time for calls whose time ended before gRPC asked
// for a connection for them: nobody else says so, and a slot is held by each. It
// also lets workers go that nobody needs any more.
func (r *grpcRun) watch() (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		look := time.NewTicker(max(r.timeout/2, 100*time.Millisecond))
		defer look.Stop()
		muster := time.NewTicker(musterEvery)
		defer muster.Stop()
		for {
			select {
			case <-look.C:
				now := r.env.Clock.Now()
				r.each(func(c *grpcCall) { c.expire(now) })
			case <-muster.C:
				if r.direct != nil {
					r.pacer.free.muster()
				}
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
	if r.direct != nil {
		r.pacer.free.dismiss() // in case that ghz has stopped without asking the pacer
		r.direct.working.Wait()
	}
	r.each((*grpcCall).end)
	r.waiting.Wait()
}
