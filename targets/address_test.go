package targets

import (
	"context"
	"net"
	"strings"
	"testing"

	"ordeal/runner/evidence"
)

func TestAddressThatAnotherProgramHolds(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l, rec := launch(t)
	spec := command("shop", "idle") // never listens: only the other program could be found ready
	spec.Listen = other.Addr().String()
	_, err = l.Start(context.Background(), spec, nil)
	if err == nil || !strings.Contains(err.Error(), "address "+spec.Listen+" is in use by another program") {
		t.Errorf("got %v, want an error that says that the address is in use", err)
	}
	if _, ok := rec.find(evidence.TargetStart); ok {
		t.Error("it was started all the same")
	}
}

func TestAddressIsFreeAgainAfterAKill(t *testing.T) {
	l, _ := launch(t)
	_, p := start(t, l, "family") // callers were connected, and a child shares its output
	for range 3 {
		get(t, "http://"+p.Addr()+"/")
		if err := p.Kill(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTargetThatEndsAsItIsFoundReady(t *testing.T) {
	l, rec := launch(t)
	_, err := l.Start(context.Background(), command("brief", "brief", "${addr}"), nil)
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") || !strings.Contains(err.Error(), "took one") {
		t.Errorf("got %v, want an error that it ended, with its output", err)
	}
	if _, ok := rec.find(evidence.TargetReady); ok {
		t.Error("it was called ready")
	}
}
