package load

import (
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// TestProcessIsLeftAlone: ghz's runner.Run sets GOMAXPROCS, then sets it to the
// number of processors, and leaves a handler behind that panics at the next
// interrupt. With several connections, its static metadata is written by all of
// them at once (the race detector is the judge of that).
func TestProcessIsLeftAlone(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	mine := was + 1
	runtime.GOMAXPROCS(mine)

	tg := newGRPCTarget(t)
	spec := unary()
	spec.GRPC.Connections, spec.GRPC.Metadata = 3, map[string]string{"team": "blue"}
	spec.Rate = holdAt(500)
	const length = 200 * time.Millisecond
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	got := &collector{}
	if err := engine.Run(t.Context(), 0, schedule(t, spec, phases(length), 1), got); err != nil || got.classes()[evidence.OK] != 100 {
		t.Fatalf("%v, %v", err, got.classes())
	}
	if n := runtime.GOMAXPROCS(0); n != mine {
		t.Errorf("GOMAXPROCS is %d, was %d", n, mine)
	}

	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-interrupts: // and nobody panics
	case <-time.After(10 * time.Second):
		t.Error("no interrupt")
	}
}
