package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// maxHead is how long the headers of an answer may be: net/http's limit.
const maxHead = 10 << 20

// maxInterim is how many answers of 1xx may come before the one that counts.
const maxInterim = 100

// head is what the headers of an answer say.
type head struct {
	code     int
	length   int64 // of the body, or one of those below
	closes   bool  // the connection is of no use after this answer
	servedBy []byte
	degraded []byte
}

// Lengths of bodies that do not say how long they are.
const (
	inChunks int64 = -1 - iota
	untilEnd
)

// newHead completes what both parsers give.
func newHead(code int, length int64, closes bool, method string) head {
	if method == http.MethodHead || code == http.StatusNoContent || code == http.StatusNotModified || code/100 == 1 {
		length = 0
	}
	return head{code: code, length: length, closes: closes || code < http.StatusOK || length == untilEnd}
}

// readHead reads the headers of the answer that counts. Headers that are longer
// than the buffer of br are read from a larger one, which is returned: the rest
// of the answer must be read from there. What it says of headers is good until br
// is read from again.
//
// Headers of the plain kind are read where they lie, without allocating. What is
// not plain net/http's parser decides, so that both transports take the same
// answers.
func readHead(br *bufio.Reader, method string) (*bufio.Reader, head, error) {
	for range maxInterim {
		br, lines, err := awaitHead(br)
		if err != nil {
			return br, head{}, err
		}
		var found head
		if lines.odd {
			if found, err = parseHead(br, lines.size, method); err != nil {
				return br, head{}, err
			}
		} else {
			here, _ := br.Peek(lines.size)
			found = lines.head(here, method)
			_, _ = br.Discard(lines.size) // it is all there
		}
		if found.code/100 != 1 || found.code == http.StatusSwitchingProtocols {
			return br, found, nil
		}
	}
	return br, head{}, fmt.Errorf("more than %d answers of 1xx", maxInterim)
}

// parseHead reads headers that are size bytes long with net/http's parser.
func parseHead(br *bufio.Reader, size int, method string) (head, error) {
	raw, err := br.Peek(size)
	if err != nil {
		return head{}, err
	}
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: method})
	if err != nil {
		return head{}, fmt.Errorf("read the headers: %w", err)
	}
	_ = res.Body.Close() // it is not there: the body is still in br
	if _, err := br.Discard(size); err != nil {
		return head{}, err
	}
	length := res.ContentLength
	switch {
	case slices.Contains(res.TransferEncoding, "chunked"):
		length = inChunks
	case length < 0:
		length = untilEnd
	}
	found := newHead(res.StatusCode, length, res.Close, method)
	found.servedBy, found.degraded = []byte(res.Header.Get("X-Served-By")), []byte(res.Header.Get("X-Degraded"))
	return found, nil
}

// awaitHead waits until the buffer of br has all headers of an answer, and looks
// at their lines. Where it is too small for them, a larger one is returned.
func awaitHead(br *bufio.Reader) (*bufio.Reader, headLines, error) {
	var lines headLines
	var err error
	for {
		here, _ := br.Peek(br.Buffered())
		if lines.look(here) { // perhaps before anything is waited for: they may have come with an interim answer
			return br, lines, nil
		}
		if err == nil {
			err = refused(here[:lines.size])
		}
		switch {
		case errors.Is(err, io.EOF) && len(here) > 0:
			return br, lines, io.ErrUnexpectedEOF
		case err != nil:
			return br, lines, err
		}
		if size := br.Size(); len(here) == size {
			if size >= maxHead {
				return br, lines, fmt.Errorf("the headers are longer than %d bytes", maxHead)
			}
			br = bufio.NewReaderSize(br, min(4*size, maxHead))
		}
		_, err = br.Peek(br.Buffered() + 1)
	}
}

// refused reports what is wrong with the first lines of headers: one that is no
// header is no reason to wait for the others.
func refused(lines []byte) error {
	const enough = 4 << 10 // of lines that are looked at more than once
	if len(lines) == 0 || len(lines) > enough {
		return nil
	}
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(lines)), nil)
	if err == nil {
		return res.Body.Close()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("read the headers: %w", err)
}
