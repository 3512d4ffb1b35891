package node

import (
	"errors"
	"net/netip"
	"sync"
)

// addresses gives out the addresses of a subnet. One that was given back is not given again before all others were, so
// that nobody takes a new Pod for an old one.
type addresses struct {
	subnet netip.Prefix
	first  netip.Addr

	mu   sync.Mutex
	next netip.Addr
	used map[netip.Addr]bool
}

var errNoAddress = errors.New("no address is left for it")

func newAddresses(subnet netip.Prefix) *addresses {
	first := subnet.Masked().Addr()
	for range nodeAddresses {
		first = first.Next()
	}
	return &addresses{subnet: subnet.Masked(), first: first, next: first, used: map[netip.Addr]bool{}}
}

// node is the address of a Node, counted from 0.
func (a *addresses) node(n int) netip.Addr {
	addr := a.subnet.Addr().Next()
	for range n {
		addr = addr.Next()
	}
	return addr
}

func (a *addresses) take() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for start := a.next; ; {
		addr := a.next
		if a.next = addr.Next(); !a.subnet.Contains(a.next.Next()) { // the last one may be a broadcast address
			a.next = a.first
		}
		if !a.used[addr] {
			a.used[addr] = true
			return addr, nil
		}
		if a.next == start {
			return netip.Addr{}, errNoAddress
		}
	}
}

func (a *addresses) release(addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, addr)
}
