package node

import (
	"net/netip"
	"testing"
	"time"
)

func TestImagesAreFoundByTheirNames(t *testing.T) {
	for image, want := range map[string]string{
		"ordeal/gateway":                              "ordeal/gateway",
		"ordeal/gateway:devel":                        "ordeal/gateway",
		"docker.io/ordeal/gateway:v1":                 "ordeal/gateway",
		"registry.example:5000/ordeal/gateway":        "ordeal/gateway",
		"localhost/ordeal/users@sha256:0123":          "ordeal/users",
		"registry.example/team/ordeal/users:v1@sha:1": "team/ordeal/users",
		"busybox": "busybox",
	} {
		if got := imageName(image); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
}

func TestRestartsWaitLongerAndLonger(t *testing.T) {
	var b backOff
	for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60} {
		if got := b.after(time.Second); got != want*time.Second {
			t.Errorf("restart %d waits %v, want %v s", i, got, int(want))
		}
	}
	if got := b.after(backOffReset); got != 0 {
		t.Errorf("after a long life it waits %v, want 0", got)
	}
	if got := b.after(0); got != backOffFirst {
		t.Errorf("then it waits %v, want %v", got, backOffFirst)
	}
}

func TestAddressesComeBackLast(t *testing.T) {
	subnet := netip.MustParsePrefix("127.9.9.0/24")
	a := newAddresses(subnet)
	first, err := a.take()
	if err != nil {
		t.Fatal(err)
	}
	a.release(first)
	given := map[netip.Addr]bool{}
	for {
		addr, err := a.take()
		if err != nil {
			t.Fatal(err)
		}
		if given[addr] || !subnet.Contains(addr) || addr == a.node(0) || addr == a.node(nodeAddresses-2) {
			t.Fatalf("%v was given after %d others", addr, len(given))
		}
		if given[addr] = true; addr == first {
			break
		}
	}
	if len(given) != 256-nodeAddresses-1 {
		t.Errorf("%d addresses were given before one that came back, want all", len(given))
	}
	if addr, err := a.take(); err == nil {
		t.Errorf("%v was given twice", addr)
	}
}
