package controlplane

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
)

// usualPort is where people look for an API server.
const usualPort = 6443

// listen takes the port of the API server, and holds it from then on.
func listen(port int) (*net.TCPListener, error) {
	want := port
	if want == 0 {
		want = usualPort
	}
	l, err := listenTCP(netip.MustParseAddr("127.0.0.1"), want)
	if port == 0 && errors.Is(err, syscall.EADDRINUSE) {
		l, err = listenTCP(netip.MustParseAddr("127.0.0.1"), 0)
	}
	if err != nil {
		return nil, fmt.Errorf("take port %d for the API server: %w", want, err)
	}
	return l, nil
}

func listenTCP(addr netip.Addr, port int) (*net.TCPListener, error) {
	return net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port))))
}

// claimPort is a port outside the usual range of ports for outgoing connections. Whoever listens on it at the last
// address of a /16 network has that network: a claim that ends with the process, however that ends.
const claimPort = 64443

// Networks to choose from: 127.0.0.0/16 is full of others, and 127.127.0.0/16 and up of what people made up.
const firstNetwork, networks = 64, 63

// claimNetwork takes a /16 network of loopback addresses that no other control plane has.
func claimNetwork() (netip.Prefix, net.Listener, error) {
	start := rand.IntN(networks)
	for i := range networks {
		a := byte(firstNetwork + (start+i)%networks)
		l, err := listenTCP(netip.AddrFrom4([4]byte{127, a, 255, 254}), claimPort)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return netip.Prefix{}, nil, fmt.Errorf("claim a network of loopback addresses: %w", err)
		}
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, a, 0, 0}), 16), l, nil
	}
	return netip.Prefix{}, nil, fmt.Errorf("claim a network of loopback addresses: all %d are taken", networks)
}

// split divides a /16 network into one of Pods and nodes and one of Services.
func split(network netip.Prefix) (pods, services netip.Prefix) {
	b := network.Addr().As4()
	return netip.PrefixFrom(network.Addr(), 17), netip.PrefixFrom(netip.AddrFrom4([4]byte{b[0], b[1], 240, 0}), 21)
}
