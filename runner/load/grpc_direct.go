package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// direct makes the calls that are no streams, over channels of its own. To ghz a
// call is a ticket: its worker asks for the call's metadata, and one of ours sets
// out to make the call (see decision 013). Metadata that gRPC refuses ends the
// ticket.
type direct struct {
	channels []*grpc.ClientConn
	method   string             // as gRPC names it
	input    []*dynamic.Message // of a call that ghz thinks it makes

	working sync.WaitGroup // for the workers that make calls, or wait for one
	mu      sync.Mutex
	spare   []*grpcWorker // those that do neither
}

// noRun is the host in the address that ghz dials where it makes no calls itself:
// there is nothing to connect to.
const noRun = "none"

// dial makes the channels, and has them connect ahead of the first call.
func (e *grpcEngine) dial(address string, timeout time.Duration) (*direct, error) {
	d := &direct{method: methodName(e.method), input: []*dynamic.Message{dynamic.NewMessage(e.method.GetInputType())}}
	creds := insecure.NewCredentials()
	if e.secure {
		creds = credentials.NewTLS(nil)
	}
	for range max(1, e.spec.GRPC.Connections) {
		channel, err := grpc.NewClient(address,
			grpc.WithTransportCredentials(alternating{creds, &e.codec.answer}),
			grpc.WithAuthority(e.addrs[0]),
			grpc.WithDefaultServiceConfig(serviceConfig(timeout)),
			grpc.WithDefaultCallOptions(e.callOptions()...),
		)
		if err != nil {
			d.close()
			return nil, fmt.Errorf("make a channel: %w", err)
		}
		channel.Connect()
		d.channels = append(d.channels, channel)
	}
	return d, nil
}

// serviceConfig is that of the channels. gRPC gives each call its time itself: one
// context less than with a deadline of ours.
func serviceConfig(timeout time.Duration) string {
	return fmt.Sprintf(`{"loadBalancingPolicy": %q, "methodConfig": [{"name": [{}], "timeout": "%.9fs"}]}`, channelName, timeout.Seconds())
}

// methodName is the method as it is in the path of a request.
func methodName(m *desc.MethodDescriptor) string {
	return "/" + m.GetService().GetFullyQualifiedName() + "/" + m.GetName()
}

// close closes the channels. Calls in flight end.
func (d *direct) close() {
	for _, channel := range d.channels {
		if channel.GetState() != connectivity.Shutdown {
			_ = channel.Close() // fails only where it is closed
		}
	}
}

// workerKey is the key of the context of a unary call, under which the picker
// finds the worker.
type workerKey struct{}

// ticket has a worker make the call that the pacer has let go through ghz. The
// worker stays until nobody needs it any more.
func (r *grpcRun) ticket() *metadata.MD {
	if seq, ok := r.number(); ok {
		w := r.recruit()
		r.direct.working.Go(func() {
			w.calls(seq)
			r.direct.rest(w)
		})
	}
	return noCall()
}

// recruit gives a worker that has nothing to do. It is called from several
// goroutines.
func (r *grpcRun) recruit() *grpcWorker {
	d := r.direct
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.spare) == 0 {
		d.spare = append(d.spare, r.hire(1+r.hired()/2)...)
	}
	w := d.spare[0]
	d.spare = d.spare[1:]
	return w
}

// rest makes a worker known as one that has nothing to do.
func (d *direct) rest(w *grpcWorker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spare = append(d.spare, w)
}

// calls makes a call, and those that the pacer has for this worker after it,
// without asking ghz for each of them.
func (w *grpcWorker) calls(seq uint64) {
	for c := w.next(seq); c != nil; c = w.another(c) {
		err := w.request(c.seq)
		c.begin()
		if err != nil {
			c.unmade()
			continue
		}
		w.invoke(c)
		c.end() // in case that gRPC has not told the picker
	}
}

// invoke makes a call. How it went, the picker has been told.
func (w *grpcWorker) invoke(c *grpcCall) {
	_ = w.channel(c).Invoke(w.ctx, w.run.direct.method, w.input[0], nil)
}

// channel gives that of a call. A client of a closed model keeps its own; in an open
// model, where some workers make most of the calls, they go to one after the other.
func (w *grpcWorker) channel(c *grpcCall) *grpc.ClientConn {
	n := uint64(w.n)
	if !w.run.pacer.closed {
		n = c.seq
	}
	channels := w.run.direct.channels
	return channels[n%uint64(len(channels))]
}

// another gives the worker's next call after one that has ended; nil where there
// is none, and the slot has been given back.
func (w *grpcWorker) another(c *grpcCall) *grpcCall {
	c.mu.Lock()
	ended := c.outcome
	c.mu.Unlock()
	if !w.run.pacer.again(w.free, ended.class, ended.at) {
		return nil
	}
	return w.next(w.run.nextCall())
}

// withCall gives the context of the worker's calls.
func (w *grpcWorker) withCall(md metadata.MD) context.Context {
	ctx := context.WithValue(context.Background(), workerKey{}, w)
	if len(md) > 0 {
		ctx = metadata.NewOutgoingContext(ctx, md)
	}
	return ctx
}
