package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"
)

// lead makes the link lead to upstreams.
func lead(t *testing.T, l *Link, upstreams ...string) []string {
	t.Helper()
	addrs, err := l.Follow(context.Background(), upstreams)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

func TestLinkFollowsItsUpstreams(t *testing.T) {
	one, two := serve(t, echo), serve(t, echo)
	l, _ := openTestLink(t, one)
	first := l.Addrs()[0]
	standing := connect(t, first)
	if addrs := lead(t, l, two, one); len(addrs) != 2 || addrs[1] != first || addrs[0] == first {
		t.Fatalf("got %v, want a new address and then %s", addrs, first)
	}
	if addrs := lead(t, l, two); len(addrs) != 1 || len(l.Addrs()) != 1 {
		t.Fatalf("got %v, want that of the second upstream alone", addrs)
	}
	for _, c := range []*net.TCPConn{standing, connect(t, l.Addrs()[0])} {
		if _, err := exchange(c, 100, 10*time.Second); err != nil {
			t.Error(err)
		}
	}
	if addrs := lead(t, l, one); addrs[0] != first {
		t.Errorf("the first upstream is back at %s, not at %s", addrs[0], first)
	}
	if addrs := lead(t, l); len(addrs) != 0 {
		t.Errorf("got %v, want none", addrs)
	}
}

func TestFaultsActOnTheWayToANewUpstream(t *testing.T) {
	l, _ := openTestLink(t)
	in := inject(t, l, Spec{Latency: &Latency{Delay: 200 * time.Millisecond}})
	took, err := exchange(connect(t, lead(t, l, serve(t, echo))[0]), 10, 10*time.Second)
	if err != nil || took < 200*time.Millisecond {
		t.Errorf("it took %v, and %v", took, err)
	}
	heal(t, in)
}

func TestANewUpstreamIsRefusedWhileTheLinkRefuses(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	in := inject(t, l, Spec{Refuse: &Refuse{}})
	for _, addr := range lead(t, l, l.ports.now[0].upstream, serve(t, echo)) {
		if c, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialled %s: %v, %v", addr, c, err)
		}
	}
	heal(t, in)
	for _, addr := range l.Addrs() {
		if _, err := exchange(connect(t, addr), 100, 10*time.Second); err != nil {
			t.Errorf("after the heal: %v", err)
		}
	}
}

func TestUpstreamsThatHaveLeftAreBounded(t *testing.T) {
	l, _ := openTestLink(t)
	for i := range mostLeft + 10 {
		lead(t, l, fmt.Sprintf("127.0.0.1:%d", i+1))
	}
	if n := len(l.ports.left); n != mostLeft {
		t.Errorf("%d are kept, want %d", n, mostLeft)
	}
	if _, err := net.Dial("tcp", l.ports.left[0].addr); errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("one that is kept: %v", err)
	}
}
