package chaos

// streamCounter counts the HTTP/2 streams that a client opens, from the bytes
// it sends, however they are cut into chunks: the connection preface (RFC 9113,
// 3.4), then frame headers alone (4.1). A stream that does not start with the
// preface, such as HTTP/1.1 or TLS, counts nothing.
type streamCounter struct {
	off     bool
	preface int     // bytes of the preface seen
	skip    int     // bytes of payload still to come
	header  [9]byte // the frame header under way
	got     int     // bytes of it seen
	last    uint32  // the highest stream opened
}

const (
	http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	headersFrame = 1
)

// count takes the next bytes and gives how many streams were opened in them.
func (s *streamCounter) count(b []byte) (opened int64) {
	if s.off {
		return 0
	}
	for s.preface < len(http2Preface) {
		if len(b) == 0 {
			return 0
		}
		n := min(len(b), len(http2Preface)-s.preface)
		if string(b[:n]) != http2Preface[s.preface:s.preface+n] {
			s.off = true
			return 0
		}
		s.preface += n
		b = b[n:]
	}
	for {
		n := min(s.skip, len(b))
		s.skip -= n
		b = b[n:]
		if len(b) == 0 {
			return opened
		}
		n = copy(s.header[s.got:], b)
		s.got += n
		b = b[n:]
		if s.got == len(s.header) {
			opened += s.frame()
		}
	}
}

// frame takes a whole frame header; 1 if it opens a stream. Streams of clients
// are odd and only ever go up, so that trailers on an old one do not count.
func (s *streamCounter) frame() int64 {
	h := &s.header
	s.got = 0
	s.skip = int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	id := (uint32(h[5])<<24 | uint32(h[6])<<16 | uint32(h[7])<<8 | uint32(h[8])) & (1<<31 - 1)
	if h[3] != headersFrame || id%2 == 0 || id <= s.last {
		return 0
	}
	s.last = id
	return 1
}
