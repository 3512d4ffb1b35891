package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// wire is a request as it goes over an HTTP/1.1 connection, byte for byte what
// net/http would send.
type wire struct {
	bytes         []byte
	method        string
	closes        bool   // it asks for an end of the connection
	authorization string // that is in it
	buffer        *bytes.Buffer
}

var wireBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// wire gives the request of call seq to a place: the same one for every call, as
// long as neither a template nor a renewed token asks for another.
func (r *requests) wire(seq uint64, to *place) (*wire, error) {
	if !r.fixed {
		return r.write(seq, to, wireBuffers.Get().(*bytes.Buffer))
	}
	authorization, err := r.authorization()
	if err != nil {
		return nil, err
	}
	if ready := to.wire.Load(); ready != nil && ready.authorization == authorization {
		return ready, nil
	}
	w, err := r.write(seq, to, nil)
	if err != nil {
		return nil, err
	}
	w.authorization = authorization
	to.wire.Store(w)
	return w, nil
}

// write writes the request of call seq, into a buffer of the pool or into one
// that is kept.
func (r *requests) write(seq uint64, to *place, pooled *bytes.Buffer) (*wire, error) {
	req, err := r.make(context.Background(), seq, to)
	if err == nil {
		err = valid(req)
	}
	if err != nil {
		return nil, err
	}
	buffer := pooled
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	buffer.Reset()
	buffer.Grow(int(req.ContentLength) + 1024)
	if err := req.Write(buffer); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	return &wire{bytes: buffer.Bytes(), method: req.Method, closes: req.Close, buffer: pooled}, nil
}

// free gives the buffer of a request back. It must not be used any more.
func (w *wire) free() {
	if w.buffer != nil {
		wireBuffers.Put(w.buffer)
	}
}

// valid refuses what net/http's transport refuses: the writer of a request
// sends it without a look.
func valid(req *http.Request) error {
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("invalid header name %q", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return errors.New("invalid value of the header " + name)
			}
		}
	}
	return nil
}
