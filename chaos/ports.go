package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ports are the endpoints of a link, which may come and go while it is open.
type ports struct {
	mu       sync.Mutex
	closed   bool
	refusing int         // faults that keep the ports closed
	made     int         // endpoints so far
	now      []*endpoint // one for each upstream, in their order
	left     []*endpoint // those whose upstream is not asked for any more, the longest first
}

// mostLeft bounds the endpoints that are kept for upstreams that have gone.
const mostLeft = 64

// Follow makes the link lead to these upstreams from now on, and gives the
// addresses that the caller is to use, one for each and in their order. The
// address for an upstream stays the same. What acts on the link acts on the way
// to a new upstream as well. Connections to one that is left out stay, and its
// address too for a while: a caller may be about to use it.
func (l *Link) Follow(ctx context.Context, upstreams []string) ([]string, error) {
	p := &l.ports
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("link %s is closed", l.spec.Name)
	}
	known := slices.Concat(p.now, p.left)
	now := make([]*endpoint, 0, len(upstreams))
	for _, upstream := range upstreams {
		i := slices.IndexFunc(known, func(e *endpoint) bool { return e.upstream == upstream && !slices.Contains(now, e) })
		if i >= 0 {
			now = append(now, known[i])
			continue
		}
		e, err := p.make(ctx, l, upstream)
		if err != nil {
			return nil, err
		}
		now = append(now, e)
		known = append(known, e) // to be left, if the next one cannot be made
		p.left = append(p.left, e)
	}
	p.put(now)
	return p.addrs(), nil
}

// make makes the endpoint for an upstream; p.mu is held.
func (p *ports) make(ctx context.Context, l *Link, upstream string) (*endpoint, error) {
	e, err := newEndpoint(l, p.made, upstream)
	if err != nil {
		return nil, err
	}
	p.made++
	if p.refusing > 0 {
		return e, nil
	}
	if err := e.open(ctx); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// put sets the endpoints that callers are told of; p.mu is held.
func (p *ports) put(now []*endpoint) {
	isNow := func(e *endpoint) bool { return slices.Contains(now, e) }
	p.left = slices.DeleteFunc(p.left, isNow)
	p.left = append(p.left, slices.DeleteFunc(p.now, isNow)...)
	p.now = now
	for len(p.left) > mostLeft {
		p.left[0].close()
		p.left = slices.Delete(p.left, 0, 1)
	}
}

// Addrs gives the addresses that the caller is to use, one for each upstream
// and in that order.
func (l *Link) Addrs() []string {
	l.ports.mu.Lock()
	defer l.ports.mu.Unlock()
	return l.ports.addrs()
}

func (p *ports) addrs() []string {
	addrs := make([]string, len(p.now))
	for i, e := range p.now {
		addrs[i] = e.addr
	}
	return addrs
}

// refuse closes all ports, and keeps those closed that come.
func (p *ports) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing++
	for _, e := range slices.Concat(p.now, p.left) {
		e.closePort()
	}
}

// admit undoes refuse.
func (p *ports) admit(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusing--; p.refusing > 0 {
		return nil
	}
	var errs []error
	for _, e := range slices.Concat(p.now, p.left) {
		errs = append(errs, e.open(ctx))
	}
	return errors.Join(errs...)
}

// close closes all ports for good.
func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, e := range slices.Concat(p.now, p.left) {
		e.close()
	}
}
