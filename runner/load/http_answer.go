package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"sync"
)

// readBody reads the body of an answer to its end and counts its bytes, up to
// an error too.
func readBody(br *bufio.Reader, length int64) (n int64, err error) {
	switch length {
	case inChunks:
		return discardChunks(br)
	case untilEnd:
		return drain(br)
	}
	return discard(br, length)
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
