package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"sync"

	"github.com/valyala/fasthttp"
)

// maxHead is how long the headers of an answer may be: net/http's limit.
const maxHead = 10 << 20

// maxInterim is how many answers of 1xx may come before the one that counts.
const maxInterim = 100

// readHead reads the headers of the answer that counts. Headers that are longer
// than the buffer of br are read from a larger one, which is returned: the rest
// of the answer must be read from there.
func readHead(br *bufio.Reader, h *fasthttp.ResponseHeader) (*bufio.Reader, error) {
	for range maxInterim {
		// fasthttp reports any error before the first byte as the end of the stream.
		if _, err := br.Peek(1); err != nil {
			return br, err
		}
		err := h.Read(br)
		for ; err != nil && small(err); err = h.Read(br) {
			if br.Size() >= maxHead {
				return br, fmt.Errorf("the headers are longer than %d bytes", maxHead)
			}
			br = bufio.NewReaderSize(br, min(4*br.Size(), maxHead))
		}
		if err != nil {
			return br, err
		}
		if code := h.StatusCode(); code < 100 || code > 199 || code == http.StatusSwitchingProtocols {
			return br, nil
		}
	}
	return br, fmt.Errorf("more than %d answers of 1xx", maxInterim)
}

// small reports whether the headers are longer than the buffer.
func small(err error) bool {
	var small *fasthttp.ErrSmallBuffer
	return errors.As(err, &small)
}

// closing reports whether the connection is of no use after this answer.
func closing(h *fasthttp.ResponseHeader) bool {
	return h.ConnectionClose() || h.StatusCode() == http.StatusSwitchingProtocols || closes(h.PeekCanonical(connectionKey))
}

var connectionKey = []byte("Connection")

// closes looks for the word close in a list, which fasthttp knows only alone
// and in small letters.
func closes(list []byte) bool {
	for len(list) > 0 {
		word, rest, _ := bytes.Cut(list, []byte(","))
		if bytes.EqualFold(bytes.TrimSpace(word), []byte("close")) {
			return true
		}
		list = rest
	}
	return false
}

// readBody reads the body of the answer to its end and counts its bytes, up to
// an error too. head is for answers to HEAD, that have none.
func readBody(br *bufio.Reader, h *fasthttp.ResponseHeader, head bool) (n int64, err error) {
	switch code, length := h.StatusCode(), h.ContentLength(); {
	case head, code == http.StatusNoContent, code == http.StatusNotModified, code == http.StatusSwitchingProtocols:
		return 0, nil
	case length >= 0:
		return discard(br, int64(length))
	case length == -1:
		return discardChunks(br)
	}
	return drain(br) // until the connection ends
}

// scratch holds what is read of bodies that are larger than a connection's
// buffer: they are counted, and not kept.
var scratch = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// discard reads n bytes.
func discard(br *bufio.Reader, n int64) (int64, error) {
	here, _ := br.Discard(int(min(n, int64(br.Buffered()))))
	read := int64(here)
	if read == n {
		return read, nil
	}
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	for read < n {
		m, err := br.Read((*b)[:min(n-read, int64(len(*b)))])
		read += int64(m)
		switch {
		case errors.Is(err, io.EOF):
			return read, io.ErrUnexpectedEOF
		case err != nil:
			return read, err
		}
	}
	return read, nil
}

// drain reads to the end of r.
func drain(r io.Reader) (read int64, err error) {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	for {
		m, err := r.Read(*b)
		read += int64(m)
		switch {
		case errors.Is(err, io.EOF):
			return read, nil
		case err != nil:
			return read, err
		}
	}
}

// discardChunks reads a chunked body with its trailers, which nobody wants.
func discardChunks(br *bufio.Reader) (int64, error) {
	read, err := drain(httputil.NewChunkedReader(br))
	if err != nil {
		return read, err
	}
	for {
		line, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return read, io.ErrUnexpectedEOF
		case err != nil:
			return read, fmt.Errorf("read the trailers: %w", err)
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			return read, nil
		case bytes.IndexByte(line, ':') < 1:
			return read, fmt.Errorf("malformed trailer %q", line)
		}
	}
}
