package load

import (
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
)

// channelName is both the scheme of the addresses that the gRPC engine dials
// and the name of the balancer that those channels use.
const channelName = "ordeal-load"

// gRPC knows resolvers and balancers by name, from tables of the process that
// may be written only while packages are initialized. So is the choice of ghz's
// source of UUIDs: it makes one for each call, which nobody reads here, and would
// ask the kernel for each.
func init() {
	uuid.EnableRandPool()
	resolver.Register(channelResolver{})
	balancer.Register(channelBalancer{})
}

// runsByID leads from the address that ghz dials, a string, to the run whose
// calls go over it: ghz has no other way in. A run enters itself before it
// dials and removes itself when it has ended.
var (
	runsByID  sync.Map // string → *grpcRun
	lastRunID atomic.Uint64
)

// enter makes the run known and gives the address to dial, in which addr is for
// show; leave undoes it.
func (r *grpcRun) enter(addr string) (address string, leave func()) {
	id := strconv.FormatUint(lastRunID.Add(1), 10)
	runsByID.Store(id, r)
	return channelName + "://" + id + "/" + addr, func() { runsByID.Delete(id) }
}

// channelBalancer is round_robin, with an observer of every pick. A pick is the
// one place where gRPC shows a call's context, with the number of the call in
// it, the backend that it goes to, and its end, streams included, with no cap
// on how many are kept: ghz's own results have no number, and end at a million.
type channelBalancer struct{}

func (channelBalancer) Name() string { return channelName }

func (channelBalancer) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	o := &observedConn{ClientConn: cc, addrOf: make(map[balancer.SubConn]string)}
	return &observedBalancer{Balancer: balancer.Get(roundrobin.Name).Build(o, opts), conn: o}
}

type observedBalancer struct {
	balancer.Balancer
	conn *observedConn
}

func (b *observedBalancer) UpdateClientConnState(s balancer.ClientConnState) error {
	if a, ok := s.ResolverState.Attributes.Value(addressesKey{}).(*addresses); ok {
		b.conn.mu.Lock()
		b.conn.addresses = a
		b.conn.mu.Unlock()
	}
	return b.Balancer.UpdateClientConnState(s)
}

// observedConn is what the round_robin inside sees of the channel.
type observedConn struct {
	balancer.ClientConn

	mu        sync.Mutex
	addresses *addresses
	addrOf    map[balancer.SubConn]string // or the name of who is there
}

func (o *observedConn) NewSubConn(addrs []resolver.Address, opts balancer.NewSubConnOptions) (balancer.SubConn, error) {
	var conn balancer.SubConn
	listen := opts.StateListener
	opts.StateListener = func(s balancer.SubConnState) {
		switch s.ConnectivityState {
		case connectivity.TransientFailure:
			o.mu.Lock()
			a := o.addresses
			o.mu.Unlock()
			if a != nil {
				a.failed(addrs[0].Addr)
			}
		case connectivity.Shutdown:
			o.mu.Lock()
			delete(o.addrOf, conn)
			o.mu.Unlock()
		}
		if listen != nil {
			listen(s)
		}
	}
	conn, err := o.ClientConn.NewSubConn(addrs, opts) //nolint:staticcheck // deprecated for several addresses at once only
	if err == nil && len(addrs) > 0 {
		o.mu.Lock()
		o.addrOf[conn] = nameOf(addrs[0])
		o.mu.Unlock()
	}
	return conn, err
}

func (o *observedConn) UpdateState(s balancer.State) {
	if s.Picker != nil {
		o.mu.Lock()
		p := &observedPicker{Picker: s.Picker, addrOf: maps.Clone(o.addrOf)}
		if o.addresses != nil {
			p.run = o.addresses.run
		}
		o.mu.Unlock()
		s.Picker = p
	}
	o.ClientConn.UpdateState(s)
}

// observedPicker is a picker of the round_robin, with what is known of the
// connections when it is made: those that it may pick are among them.
type observedPicker struct {
	balancer.Picker
	run    *grpcRun // nil before the channel knows its addresses
	addrOf map[balancer.SubConn]string
}

func (p *observedPicker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	result, err := p.Picker.Pick(info)
	if p.run == nil {
		return result, err
	}
	c := p.run.callOf(info.Ctx)
	if c == nil {
		return result, err
	}
	switch {
	case errors.Is(err, balancer.ErrNoSubConnAvailable):
		c.waits(info.Ctx) // and is picked again
	case err != nil:
		c.refused(info.Ctx, err)
	default:
		c.picked(info.Ctx, p.addrOf[result.SubConn])
		if inner := result.Done; inner != nil {
			result.Done = func(info balancer.DoneInfo) { c.finished(info); inner(info) }
		} else {
			result.Done = c.done
		}
	}
	return result, err
}
