package controlplane

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
)

func TestNetworksAreClaimedOnce(t *testing.T) {
	one, hold, err := claimNetwork()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	for range networks { // as many as there are, and one is taken
		other, held, err := claimNetwork()
		if err != nil {
			t.Fatal(err)
		}
		if other == one {
			t.Fatalf("%v was claimed twice", one)
		}
		held.Close()
	}
	pods, services := split(one)
	if !one.Contains(pods.Addr()) || !one.Contains(services.Addr()) || pods.Overlaps(services) || pods.Bits() > 24 {
		t.Errorf("%v is split into %v and %v", one, pods, services)
	}
	if claim := hold.Addr().(*net.TCPAddr).AddrPort().Addr(); pods.Contains(claim) || services.Contains(claim) {
		t.Errorf("the claim %v is in the way of Pods or Services", claim)
	}
}

func TestPortOfTheAPIServer(t *testing.T) {
	usual, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(usualPort))
	if err == nil {
		defer usual.Close()
	} else if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatal(err)
	}
	other, err := listen(0)
	if err != nil {
		t.Fatalf("any port, with the usual one taken: %v", err)
	}
	defer other.Close()
	port := other.Addr().(*net.TCPAddr).Port
	if port == usualPort {
		t.Errorf("port %d was taken twice", port)
	}
	if _, err := listen(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
}
