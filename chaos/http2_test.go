package chaos

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame makes a frame with a payload of n bytes that look like a header.
func frame(kind byte, id uint32, n int) []byte {
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, 4}
	b = binary.BigEndian.AppendUint32(b, id)
	return append(b, bytes.Repeat([]byte{0, 0, 1, 1, 4, 0, 0, 0, 99}, n/9+1)[:n]...)
}

func conversation(payload int) (b []byte, streams int64) {
	const settings, data, headers, continuation, reset = 4, 0, 1, 9, 3
	b = append(b, http2Preface...)
	b = append(b, frame(settings, 0, 18)...)
	b = append(b, frame(headers, 1, 50)...)
	b = append(b, frame(data, 1, payload)...)
	b = append(b, frame(headers, 3, 0)...)
	b = append(b, frame(continuation, 3, 20)...)
	b = append(b, frame(headers, 1, 5)...)       // trailers of an old stream
	b = append(b, frame(headers, 2, 5)...)       // not a client's
	b = append(b, frame(headers, 1<<31|7, 5)...) // the reserved bit is ignored; 5 was skipped
	b = append(b, frame(reset, 9, 4)...)
	return b, 3
}

func TestStreamsAreCountedInAnyChunks(t *testing.T) {
	b, want := conversation(70000)
	for _, size := range []int{1, 2, 7, 9, 23, 24, 25, 1000, len(b)} {
		var s streamCounter
		var got int64
		for i := 0; i < len(b); i += size {
			got += s.count(b[i:min(i+size, len(b))])
		}
		if got != want {
			t.Errorf("chunks of %d: %d streams, want %d", size, got, want)
		}
	}
}

func TestOtherProtocolsCountNothing(t *testing.T) {
	b, _ := conversation(300)
	for _, head := range []string{"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00"} {
		var s streamCounter
		if n := s.count([]byte(head)) + s.count(b); n != 0 || !s.off {
			t.Errorf("%q: %d streams", head, n)
		}
	}
}

// However the bytes are cut, the count is the same, and that of a plain reading
// of the whole.
func FuzzStreamCounter(f *testing.F) {
	b, _ := conversation(300)
	f.Add(b, uint8(3))
	f.Add([]byte(http2Preface), uint8(1))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(5))
	f.Add(append([]byte(http2Preface), frame(1, 1, 3)...), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		var s streamCounter
		var got int64
		for rest, size := b, int(cut); len(rest) > 0; size = size*5%31 + 1 {
			n := min(len(rest), size)
			got += s.count(rest[:n])
			rest = rest[n:]
		}
		if want := plainCount(b); got != want {
			t.Errorf("got %d streams, want %d", got, want)
		}
	})
}

func plainCount(b []byte) (n int64) {
	b, ok := bytes.CutPrefix(b, []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	var last uint32
	for ok && len(b) >= 9 {
		id := binary.BigEndian.Uint32(b[5:]) & 0x7fffffff
		if b[3] == 1 && id%2 == 1 && id > last {
			last = id
			n++
		}
		b = b[min(len(b), 9+int(binary.BigEndian.Uint32(b)>>8)):]
	}
	return n
}
