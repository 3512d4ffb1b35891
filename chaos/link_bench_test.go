package chaos

import (
	"io"
	"net"
	"testing"
)

// What an idle link costs: the same round trips over a direct connection and
// over a link; and the same for bulk.
func BenchmarkRoundTrip(b *testing.B) {
	addr := serve(b, echo)
	l, _ := openTestLink(b, addr)
	for name, to := range map[string]string{"direct": addr, "link": l.Addrs()[0]} {
		b.Run(name, func(b *testing.B) {
			c, buf := connect(b, to), make([]byte, 1024)
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBulk(b *testing.B) {
	addr := serve(b, func(c net.Conn) {
		buf := make([]byte, 64<<10)
		for {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	})
	l, _ := openTestLink(b, addr)
	for name, to := range map[string]string{"direct": addr, "link": l.Addrs()[0]} {
		b.Run(name, func(b *testing.B) {
			c, buf := connect(b, to), make([]byte, 64<<10)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
			c.Close()
		})
	}
}

func BenchmarkStreamCounter(b *testing.B) {
	bytes, _ := conversation(16 << 10)
	frames := bytes[len(http2Preface):]
	s := streamCounter{preface: len(http2Preface)}
	b.SetBytes(int64(len(frames)))
	for b.Loop() {
		s.count(frames)
	}
}
