package chaos

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// However a blackhole comes and goes, what arrives is the beginning of what was
// sent: a stream never goes on behind a hole.
func TestNoStreamGoesOnBehindAHole(t *testing.T) {
	var streams, holes atomic.Int64
	check := func(c net.Conn) {
		streams.Add(1)
		var word [8]byte
		for want := uint64(0); ; want++ {
			if _, err := io.ReadFull(c, word[:]); err != nil {
				return
			}
			if binary.BigEndian.Uint64(word[:]) != want {
				holes.Add(1)
				return
			}
		}
	}
	l, _ := openTestLink(t, serve(t, check))
	stop := make(chan struct{})
	ended := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { ended <- struct{}{} }()
			for n, c := uint64(0), net.Conn(nil); ; n++ {
				select {
				case <-stop:
					if c != nil {
						c.Close()
					}
					return
				default:
				}
				if c == nil {
					n = 0
					if c, _ = net.Dial("tcp", l.Addrs()[0]); c == nil {
						continue
					}
				}
				c.SetWriteDeadline(time.Now().Add(time.Second))
				if _, err := c.Write(binary.BigEndian.AppendUint64(nil, n)); err != nil {
					c.Close()
					c = nil
				}
				if n%64 == 0 {
					time.Sleep(100 * time.Microsecond)
				}
			}
		}()
	}
	for range 30 {
		in := inject(t, l, Spec{Blackhole: &Blackhole{}})
		eventually(t, "bytes are swallowed", func() bool { return in.Touched().Bytes > 0 })
		heal(t, in)
	}
	close(stop)
	for range 4 {
		<-ended
	}
	if holes.Load() > 0 || streams.Load() < 30 {
		t.Errorf("%d of %d streams went on behind a hole", holes.Load(), streams.Load())
	}
}

func TestNothingPassesABlackholeOnceItActs(t *testing.T) {
	var got atomic.Int64
	l, _ := openTestLink(t, serve(t, func(c net.Conn) {
		n, _ := io.Copy(io.Discard, c)
		got.Add(n)
	}))
	c := connect(t, l.Addrs()[0])
	in := inject(t, l, Spec{Blackhole: &Blackhole{Direction: up}})
	c.Write(make([]byte, 1000))
	eventually(t, "all is swallowed", func() bool { return in.Touched().Bytes == 1000 })
	heal(t, in)
	eventually(t, "the connection ends", func() bool { return l.Stats().Active == 0 })
	if got.Load() != 0 {
		t.Errorf("%d bytes arrived", got.Load())
	}
}

func TestAnIdleConnectionLivesThroughABlackhole(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	c := connect(t, l.Addrs()[0])
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	in := inject(t, l, Spec{Blackhole: &Blackhole{}})
	heal(t, in)
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Errorf("it lost no byte, and yet: %v", err)
	}
}

// A delay for each chunk in turn would take 128 times 200 ms.
func TestLatencyIsPipelined(t *testing.T) {
	const size = 4 << 20
	l, _ := openTestLink(t, serve(t, func(c net.Conn) { c.Write(make([]byte, size)) }))
	in := inject(t, l, Spec{Latency: &Latency{Delay: 200 * time.Millisecond}})
	defer heal(t, in)
	start := time.Now()
	n, err := io.Copy(io.Discard, connect(t, l.Addrs()[0]))
	if took := time.Since(start); n != size || err != nil || took < 200*time.Millisecond || took > 20*time.Second {
		t.Errorf("%d bytes in %s, %v", n, took, err)
	}
}

// Two connections of a narrow link get its rate together.
func TestBandwidthIsThatOfTheLink(t *testing.T) {
	const rate, each = 400_000, 100_000
	l, _ := openTestLink(t, serve(t, func(c net.Conn) { c.Write(make([]byte, each)) }))
	in := inject(t, l, Spec{Bandwidth: &Bandwidth{Rate: rate}})
	start := time.Now()
	took := make(chan time.Duration)
	for range 2 {
		c := connect(t, l.Addrs()[0])
		go func() {
			io.Copy(io.Discard, c)
			took <- time.Since(start)
		}()
	}
	first, second := <-took, <-took
	heal(t, in)
	if second < 450*time.Millisecond || second > 20*time.Second {
		t.Errorf("%d bytes at %d bytes/s took %s", 2*each, rate, second)
	}
	if first < second/3 {
		t.Errorf("one is done after %s, the other after %s: they do not take turns", first, second)
	}
	if got := in.Touched(); got.Connections != 2 || got.Bytes != 2*each {
		t.Errorf("touched %+v", got)
	}
}

func TestLatencyAndBandwidthAddUp(t *testing.T) {
	l, _ := openTestLink(t, serve(t, func(c net.Conn) { c.Write(make([]byte, 40_000)) }))
	slow := inject(t, l, Spec{Latency: &Latency{Delay: 300 * time.Millisecond}})
	narrow := inject(t, l, Spec{Bandwidth: &Bandwidth{Rate: 100_000}})
	start := time.Now()
	n, err := io.Copy(io.Discard, connect(t, l.Addrs()[0]))
	if took := time.Since(start); n != 40_000 || err != nil || took < 650*time.Millisecond {
		t.Errorf("%d bytes after %s, %v: want at least 300ms + 400ms", n, took, err)
	}
	heal(t, slow)
	heal(t, narrow)
	if a, b := slow.Touched(), narrow.Touched(); a.Bytes != 40_000 || b.Bytes != 40_000 {
		t.Errorf("touched %+v and %+v", a, b)
	}
}

func TestHealReleasesWhatIsHeld(t *testing.T) {
	for name, spec := range map[string]Spec{
		"latency":    {Latency: &Latency{Delay: time.Hour}},
		"bandwidth":  {Bandwidth: &Bandwidth{Rate: 1}},
		"slicer":     {Slicer: &Slicer{Size: 1, Delay: time.Hour}},
		"slow_close": {SlowClose: &SlowClose{Delay: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			sent := bytes.Repeat([]byte("0123456789"), 3000)
			l, _ := openTestLink(t, serve(t, func(c net.Conn) { c.Write(sent) }))
			in := inject(t, l, spec)
			c := connect(t, l.Addrs()[0])
			eventually(t, "bytes come in", func() bool { return l.Stats().BytesDown == int64(len(sent)) })
			heal(t, in)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if b, err := io.ReadAll(c); err != nil || !bytes.Equal(b, sent) {
				t.Errorf("got %d of %d bytes, %v", len(b), len(sent), err)
			}
		})
	}
}

func TestLimitDataPassesWhatIsWithinTheLimit(t *testing.T) {
	l, _ := openTestLink(t, serve(t, func(c net.Conn) {
		c.Write(make([]byte, 10_000))
		io.Copy(io.Discard, c)
	}))
	for _, limit := range []Size{1, 5000, 9999, 10_000} {
		in := inject(t, l, Spec{LimitData: &LimitData{Bytes: limit}})
		c := connect(t, l.Addrs()[0])
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		b, err := io.ReadAll(c)
		eventually(t, "both sides are closed", func() bool { return l.Stats().Active == 0 })
		heal(t, in)
		if len(b) != int(limit) || err != nil {
			t.Errorf("limit %s: got %d bytes and %v", limit, len(b), err)
		}
		if got := in.Touched(); got.Connections != 1 || got.Bytes != int64(10_000-limit) {
			t.Errorf("limit %s: touched %+v", limit, got)
		}
	}
}

func TestResetReachesBothEnds(t *testing.T) {
	upstream := make(chan error, 1)
	l, _ := openTestLink(t, serve(t, func(c net.Conn) {
		_, err := io.Copy(io.Discard, c)
		upstream <- err
	}))
	c := connect(t, l.Addrs()[0])
	eventually(t, "the link stands", func() bool { return l.Stats().Active == 1 })
	in := inject(t, l, Spec{Reset: &Reset{}})
	if _, err := exchange(c, 1, 10*time.Second); !isReset(err) {
		t.Errorf("the caller sees %v", err)
	}
	if err := <-upstream; !isReset(err) {
		t.Errorf("the called sees %v", err)
	}
	heal(t, in)
	if got := in.Touched(); got.Connections != 1 {
		t.Errorf("touched %+v", got)
	}
}

func TestRefuseKeepsItsPortAndWhatItIsToldTo(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	addr := l.Addrs()[0]
	c := connect(t, addr)
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	in := inject(t, l, Spec{Refuse: &Refuse{Keep: true}})
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Errorf("the standing connection: %v", err)
	}
	if other, err := net.Listen("tcp", addr); err == nil {
		other.Close()
		t.Error("somebody else can take the port")
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("a new connection is taken")
	}
	heal(t, in)
	if _, err := exchange(connect(t, addr), 10, 10*time.Second); err != nil {
		t.Errorf("after heal: %v", err)
	}
	if got := in.Touched(); got.Any() {
		t.Errorf("touched %+v, but cut nothing", got)
	}
}

func TestShareOfConnectionsIsDrawnBySeed(t *testing.T) {
	const conns = 40
	l, _ := openTestLink(t, serve(t, echo))
	in := inject(t, l, Spec{Blackhole: &Blackhole{Share: 50}})
	same := &acting{share: 50, seed: faultSeed(7, "blackhole for 50% of connections on a->b")}
	var picked int64
	for i := range conns {
		c := connect(t, l.Addrs()[0])
		eventually(t, "the connection stands", func() bool { return l.Stats().Active == int64(i)+1 })
		if same.picks(&connection{index: uint64(i)}) {
			picked++
			c.Write([]byte("x"))
		} else if _, err := exchange(c, 1, 10*time.Second); err != nil {
			t.Errorf("connection %d is hit: %v", i, err)
		}
	}
	eventually(t, "all that was sent came in", func() bool { return l.Stats().BytesUp == conns })
	heal(t, in)
	if got := in.Touched().Connections; got != picked || picked < conns/5 || picked > conns*4/5 {
		t.Errorf("touched %d connections, want %d of %d", got, picked, conns)
	}
}
