package chaos

import (
	"io"
	"net"
	"testing"
	"time"
)

// A fault in one direction leaves the other alone.
func TestFaultActsInItsDirectionAlone(t *testing.T) {
	const size = 20_000
	for name, spec := range map[string]func(way string) Spec{
		"latency":    func(w string) Spec { return Spec{Latency: &Latency{Delay: time.Hour, Direction: w}} },
		"bandwidth":  func(w string) Spec { return Spec{Bandwidth: &Bandwidth{Rate: 1, Direction: w}} },
		"blackhole":  func(w string) Spec { return Spec{Blackhole: &Blackhole{Direction: w}} },
		"slicer":     func(w string) Spec { return Spec{Slicer: &Slicer{Size: 1, Delay: time.Hour, Direction: w}} },
		"limit_data": func(w string) Spec { return Spec{LimitData: &LimitData{Bytes: 1, Direction: w}} },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan int64, 1)
			l, _ := openTestLink(t, serve(t, func(c net.Conn) {
				c.Write(make([]byte, size))
				n, _ := io.CopyN(io.Discard, c, size)
				arrived <- n
			}))
			// Up broken, down goes; then the other way round.
			c := connect(t, l.Addrs()[0])
			in := inject(t, l, spec(up))
			c.SetDeadline(time.Now().Add(20 * time.Second))
			if n, err := io.CopyN(io.Discard, c, size); err != nil {
				t.Errorf("broken upwards: %d bytes came down, %v", n, err)
			}
			heal(t, in)
			other := inject(t, l, spec(down))
			c.Write(make([]byte, size))
			if n := <-arrived; n != size {
				t.Errorf("broken downwards: %d bytes went up", n)
			}
			heal(t, other)
			if a, b := in.Touched(), other.Touched(); a.Any() || b.Any() {
				t.Errorf("touched %+v and %+v", a, b)
			}
		})
	}
}

func TestAHealedResetDoesNotStrike(t *testing.T) {
	const after = 100 * time.Millisecond
	l, _ := openTestLink(t, serve(t, echo))
	c := connect(t, l.Addrs()[0])
	if _, err := exchange(c, 1, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	in := inject(t, l, Spec{Reset: &Reset{After: after}})
	heal(t, in)
	if got := in.Touched(); got.Any() {
		t.Skip("the machine is too slow: the reset came before the heal")
	}
	time.Sleep(after + 50*time.Millisecond) // past the time at which it would have struck
	if _, err := exchange(c, 1, 10*time.Second); err != nil {
		t.Errorf("the connection is broken after the heal: %v", err)
	}
}
