package chaos

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// a case of the suite that every fault on a link passes.
type conformant struct {
	spec Spec
	// hurts tells whether the fault shows, on the connection that stood before it
	// was injected and on the port. The margins are wide of what a healthy link
	// needs on a busy machine, and of what a fault does.
	hurts func(t *testing.T, standing net.Conn, addr string) bool
	// breaks: a standing connection does not live through it.
	breaks bool
}

// slow tells whether an exchange of n bytes takes at least as long as given;
// a failed one is not slow but broken.
func slow(t *testing.T, c net.Conn, n int, least time.Duration) bool {
	t.Helper()
	took, err := exchange(c, n, 10*time.Second)
	if err != nil {
		t.Fatalf("exchange: %v", err)
	}
	return took >= least
}

// heals looks a few times: a busy machine is slow now and then, a fault always.
func heals(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 30 {
		if ok() {
			return
		}
	}
	t.Error("not so: " + what)
}

func conformants() map[string]conformant {
	slowBy := func(n int, least time.Duration) func(*testing.T, net.Conn, string) bool {
		return func(t *testing.T, c net.Conn, _ string) bool { return slow(t, c, n, least) }
	}
	return map[string]conformant{
		"latency":   {spec: Spec{Latency: &Latency{Delay: 300 * time.Millisecond, Jitter: 50 * time.Millisecond}}, hurts: slowBy(100, 240*time.Millisecond)},
		"bandwidth": {spec: Spec{Bandwidth: &Bandwidth{Rate: 20000}}, hurts: slowBy(6000, 250*time.Millisecond)},
		"slicer":    {spec: Spec{Slicer: &Slicer{Size: 100, Variation: 20, Delay: 30 * time.Millisecond}}, hurts: slowBy(1000, 200*time.Millisecond)},
		"blackhole": {breaks: true, spec: Spec{Blackhole: &Blackhole{}}, hurts: func(t *testing.T, c net.Conn, _ string) bool {
			_, err := exchange(c, 10, 200*time.Millisecond)
			var timeout net.Error
			return errors.As(err, &timeout) && timeout.Timeout()
		}},
		"reset": {breaks: true, spec: Spec{Reset: &Reset{}}, hurts: func(t *testing.T, c net.Conn, addr string) bool {
			_, err := exchange(c, 10, 10*time.Second)
			return isReset(err) && isReset(firstError(addr))
		}},
		"reset later": {breaks: true, spec: Spec{Reset: &Reset{After: 100 * time.Millisecond}}, hurts: func(t *testing.T, c net.Conn, addr string) bool {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := c.Read(make([]byte, 1))
			return isReset(err) && isReset(firstError(addr))
		}},
		"limit_data": {breaks: true, spec: Spec{LimitData: &LimitData{Bytes: 5000}}, hurts: func(t *testing.T, c net.Conn, _ string) bool {
			_, err := exchange(c, 10000, 10*time.Second)
			return err != nil
		}},
		"slow_close": {breaks: true, spec: Spec{SlowClose: &SlowClose{Delay: 150 * time.Millisecond, Direction: up}}, hurts: func(t *testing.T, c net.Conn, _ string) bool {
			start := time.Now()
			c.(*net.TCPConn).CloseWrite()
			c.SetReadDeadline(start.Add(10 * time.Second))
			c.Read(make([]byte, 1)) // the echo ends when it sees the end
			return time.Since(start) >= 150*time.Millisecond
		}},
		"refuse": {breaks: true, spec: Spec{Refuse: &Refuse{}}, hurts: func(t *testing.T, c net.Conn, addr string) bool {
			_, err := exchange(c, 10, 10*time.Second)
			return isReset(err) && errors.Is(firstError(addr), syscall.ECONNREFUSED)
		}},
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func eachLinkFault(t *testing.T, do func(t *testing.T, c conformant)) {
	for name, c := range conformants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, c)
		})
	}
}

// Inject, and the effect is there; heal, and it is gone. Before the fault and
// after it the same look must find nothing, or it would prove nothing.
func TestFaultShowsWhileItActsAndNoLonger(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		l, _ := openTestLink(t, serve(t, echo))
		addr := l.Addrs()[0]
		standing := connect(t, addr)
		if !f.breaks {
			heals(t, "the look finds no fault before it acts", func() bool { return !f.hurts(t, standing, addr) })
		}
		if _, err := exchange(standing, 100, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		in := inject(t, l, f.spec)
		if !f.hurts(t, standing, addr) {
			t.Error("the fault does not show")
		}
		heal(t, in)
		if got := in.Touched(); got.Connections == 0 {
			t.Errorf("touched %+v, want the connection counted", got)
		}
		if _, err := exchange(connect(t, addr), 12000, 10*time.Second); err != nil {
			t.Errorf("after heal: %v", err)
		}
		if !f.breaks {
			heals(t, "the standing connection recovers", func() bool { return !f.hurts(t, standing, addr) })
		}
	})
}

func TestFaultWithoutTrafficTouchesNothing(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		l, _ := openTestLink(t, serve(t, echo))
		in := inject(t, l, f.spec)
		heal(t, in)
		if _, err := exchange(connect(t, l.Addrs()[0]), 100, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		if got := in.Touched(); got.Any() || got.Calls != 0 {
			t.Errorf("touched %+v without traffic", got)
		}
	})
}

// load keeps clients busy until stop is called: each exchanges and connects
// again after an error or a few rounds. It counts rounds that went well, and
// fails the test if bytes are changed.
func load(t *testing.T, addr string, clients int, good *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				c, err := net.DialTimeout("tcp", addr, time.Second)
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				for range 5 {
					if _, err := exchange(c, 3000, time.Second); err != nil {
						if errors.Is(err, errCorrupt) {
							t.Error(err)
						}
						break
					}
					good.Add(1)
				}
				c.Close()
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

func TestInjectAndHealUnderLoad(t *testing.T) {
	for name, f := range conformants() { // one after the other, for the machine's sake
		t.Run(name, func(t *testing.T) {
			l, _ := openTestLink(t, serve(t, echo))
			var good atomic.Int64
			stop := load(t, l.Addrs()[0], 8, &good)
			for range 20 {
				in := inject(t, l, f.spec)
				time.Sleep(2 * time.Millisecond)
				heal(t, in)
			}
			before := good.Load()
			eventually(t, "calls go well again", func() bool { return good.Load() > before+20 })
			stop()
			eventually(t, "all connections end", func() bool { return l.Stats().Active == 0 })
		})
	}
}

// Faults of every kind come and go on one link at the same time.
func TestFaultsOverlap(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	var good atomic.Int64
	stop := load(t, l.Addrs()[0], 8, &good)
	var all sync.WaitGroup
	for name, f := range conformants() {
		all.Go(func() {
			for range 10 {
				in := inject(t, l, f.spec)
				time.Sleep(time.Duration(len(name)) * time.Millisecond / 4)
				heal(t, in)
			}
		})
	}
	all.Wait()
	if p := l.program.Load(); len(p.acting) != 0 {
		t.Errorf("%d faults still act", len(p.acting))
	}
	before := good.Load()
	eventually(t, "calls go well again", func() bool { return good.Load() > before+20 })
	stop()
	eventually(t, "all connections end", func() bool { return l.Stats().Active == 0 })
}

func TestHealWithHungConnections(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		// An upstream that sends for ever, and callers that do not read.
		l, _ := openTestLink(t, serve(t, func(c net.Conn) {
			for {
				if _, err := c.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}))
		l.giveUpAfter = 300 * time.Millisecond
		for range 5 {
			connect(t, l.Addrs()[0])
		}
		eventually(t, "callers are connected", func() bool { return l.Stats().Active == 5 })
		in := inject(t, l, f.spec)
		time.Sleep(20 * time.Millisecond)
		start := time.Now()
		heal(t, in)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("heal took %s", took)
		}
	})
}

func TestInjectInACancelledContextLeavesNothing(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		l, _ := openTestLink(t, serve(t, echo))
		c := connect(t, l.Addrs()[0])
		if _, err := exchange(c, 10, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		f.spec.Link = l.Name()
		fault, err := f.spec.Fault(envOf(l))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fault.Inject(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if len(l.program.Load().acting) != 0 {
			t.Error("the fault acts")
		}
		if _, err := exchange(c, 100, 10*time.Second); err != nil {
			t.Errorf("the link is broken: %v", err)
		}
	})
}

func TestHealInACancelledContext(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		l, _ := openTestLink(t, serve(t, echo))
		connect(t, l.Addrs()[0])
		in := inject(t, l, f.spec)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = in.Heal(ctx) // may fail, must not hang
		if len(l.program.Load().acting) != 0 {
			t.Error("the fault still acts")
		}
	})
}

func TestCloseWhileInjected(t *testing.T) {
	eachLinkFault(t, func(t *testing.T, f conformant) {
		l, _ := openTestLink(t, serve(t, echo))
		var good atomic.Int64
		stop := load(t, l.Addrs()[0], 4, &good)
		eventually(t, "traffic flows", func() bool { return good.Load() > 10 })
		in := inject(t, l, f.spec)
		l.shut()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := l.wait(ctx); err != nil {
			t.Error(err)
		}
		stop()
		heal(t, in)
		if err := firstError(l.Addrs()[0]); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after close: %v, want the port closed", err)
		}
	})
}
