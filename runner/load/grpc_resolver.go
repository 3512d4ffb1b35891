package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/resolver"
)

// channelResolver gives the addresses of a run's target, one endpoint for each
// replica, and with them the run.
type channelResolver struct{}

func (channelResolver) Scheme() string { return channelName }

func (channelResolver) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	if target.URL.Host == noRun {
		return &addresses{}, nil
	}
	run, ok := runsByID.Load(target.URL.Host)
	if !ok {
		return nil, fmt.Errorf("no run %q", target.URL.Host)
	}
	a := &addresses{run: run.(*grpcRun), cc: cc, attempts: make(map[string]int)}
	a.run.channels.add(a)
	err := a.update()
	if errors.Is(err, balancer.ErrBadResolverState) {
		err = nil // there is nobody now; it is told when somebody comes
	}
	return a, err
}

// channels are the resolvers of a run's channels.
type channels struct {
	mu  sync.Mutex
	all map[*addresses]struct{}
}

func (c *channels) add(a *addresses) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[*addresses]struct{})
	}
	c.all[a] = struct{}{}
}

func (c *channels) remove(a *addresses) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, a)
}

// follow tells the channels who is there. gRPC connects to those that are new at
// once; a connection to one that is gone takes no new call, and is closed when
// those on it have ended.
func (r *grpcRun) follow(members []Member) {
	r.members.Store(&members)
	r.channels.mu.Lock()
	all := slices.Collect(maps.Keys(r.channels.all))
	r.channels.mu.Unlock()
	for _, a := range all {
		_ = a.update() // an error says that there is nobody: calls are refused then
	}
}

// addresses is the resolver of one channel. It also spares the run gRPC's
// backoff: after a failure to connect gRPC waits 1 s, then longer and longer up
// to 2 minutes, and a target that is back would look as if it were not, by the
// generator's patience. ghz offers no setting for it. An address whose
// attribute has changed is a new one to gRPC, to be connected at once, so the
// address of a connection that failed is changed after retryAfter.
type addresses struct {
	run *grpcRun
	cc  resolver.ClientConn

	updating sync.Mutex // so that updates come in order

	mu       sync.Mutex
	attempts map[string]int // by address
	timer    *time.Timer    // pending change
	closed   bool
}

const retryAfter = 200 * time.Millisecond

// attribute keys of the resolver's state and of its addresses.
type (
	addressesKey struct{}
	attemptKey   struct{}
	nameKey      struct{}
)

// nameOf is the name of who is at an address.
func nameOf(a resolver.Address) string {
	if name, ok := a.Attributes.Value(nameKey{}).(string); ok {
		return name
	}
	return a.Addr
}

func (a *addresses) update() error {
	a.updating.Lock()
	defer a.updating.Unlock()
	members := *a.run.members.Load()
	a.mu.Lock()
	var state resolver.State
	attempts := make(map[string]int, len(members))
	for _, m := range members {
		attempts[m.Addr] = a.attempts[m.Addr]
		address := resolver.Address{
			Addr: m.Addr, Attributes: attributes.New(attemptKey{}, attempts[m.Addr]).WithValue(nameKey{}, m.name()),
		}
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
		state.Addresses = append(state.Addresses, address)
	}
	a.attempts = attempts
	state.Attributes = attributes.New(addressesKey{}, a)
	a.mu.Unlock()
	return a.cc.UpdateState(state)
}

// failed notes that no connection to addr could be made.
func (a *addresses) failed(addr string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attempts[addr]++
	if a.timer == nil && !a.closed {
		a.timer = time.AfterFunc(retryAfter, func() {
			a.mu.Lock()
			a.timer = nil
			closed := a.closed
			a.mu.Unlock()
			if !closed {
				_ = a.update() // gRPC keeps its addresses when it does not like the new ones
			}
		})
	}
}

// ResolveNow implements resolver.Resolver: whatever changes is told already.
func (a *addresses) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver.
func (a *addresses) Close() {
	if a.run != nil {
		a.run.channels.remove(a)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
