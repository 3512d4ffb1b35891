package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"
)

// maxHead is how long the headers of an answer may be: net/http's limit.
const maxHead = 10 << 20

// maxInterim is how many answers of 1xx may come before the one that counts.
const maxInterim = 100

// head is what the headers of an answer say.
type head struct {
	code     int
	length   int64  // of the body, or one of those below
	closes   bool   // the connection is of no use after this answer
	servedBy []byte // good until the next headers are read
	degraded []byte // likewise
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
// of the answer must be read from there.
//
// fasthttp's parser reads them, into h, without allocating. Where it is known to
// differ from net/http's, or refuses, that one decides, so that both transports
// take the same answers.
func readHead(br *bufio.Reader, h *fasthttp.ResponseHeader, method string) (*bufio.Reader, head, error) {
	for range maxInterim {
		br, lines, err := awaitHead(br)
		if err != nil {
			return br, head{}, err
		}
		var found head
		if !lines.odd && h.Read(br) == nil {
			found = newHead(h.StatusCode(), int64(h.ContentLength()), lines.closes, method)
			found.servedBy, found.degraded = h.PeekCanonical(servedBy), h.PeekCanonical(degraded)
		} else if found, err = parseHead(br, lines.size, method); err != nil {
			return br, head{}, err
		}
		if found.code/100 != 1 || found.code == http.StatusSwitchingProtocols {
			return br, found, nil
		}
	}
	return br, head{}, fmt.Errorf("more than %d answers of 1xx", maxInterim)
}

var (
	servedBy = []byte("X-Served-By")
	degraded = []byte("X-Degraded")
)

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
	for {
		if size := br.Size(); br.Buffered() == size {
			if size >= maxHead {
				return br, lines, fmt.Errorf("the headers are longer than %d bytes", maxHead)
			}
			br = bufio.NewReaderSize(br, min(4*size, maxHead))
		}
		_, err := br.Peek(br.Buffered() + 1)
		here, _ := br.Peek(br.Buffered())
		if lines.look(here) {
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

// headLines is what the lines of headers show.
type headLines struct {
	size   int  // of those that have been looked at
	odd    bool // fasthttp may not read them as net/http does
	closes bool // a Connection header says so
}

// look looks at the lines that have come since the last time, and reports whether
// the last one has. What is odd is another version of HTTP, lines that do not end
// in CRLF, that go on in the next, or that have a space in the name.
func (l *headLines) look(here []byte) (all bool) {
	for {
		n := bytes.IndexByte(here[l.size:], '\n')
		if n < 0 {
			return false
		}
		line, crlf := bytes.CutSuffix(here[l.size:l.size+n], cr)
		first := l.size == 0
		l.size += n + 1
		l.odd = l.odd || !crlf
		switch {
		case first:
			l.odd = l.odd || !bytes.HasPrefix(line, http11)
			all = len(line) == 0
		case len(line) == 0:
			all = true
		default:
			name, value, ok := bytes.Cut(line, colon)
			l.odd = l.odd || !ok || bytes.IndexByte(name, ' ') >= 0 || bytes.IndexByte(name, '\t') >= 0
			l.closes = l.closes || bytes.EqualFold(name, connection) && closes(value)
		}
		if all {
			return true
		}
	}
}

var (
	cr         = []byte("\r")
	colon      = []byte(":")
	comma      = []byte(",")
	http11     = []byte("HTTP/1.1 ")
	connection = []byte("Connection")
	closeWord  = []byte("close")
)

// closes looks for the word close in a list.
func closes(list []byte) bool {
	for len(list) > 0 {
		word, rest, _ := bytes.Cut(list, comma)
		if bytes.EqualFold(bytes.Trim(word, " \t"), closeWord) {
			return true
		}
		list = rest
	}
	return false
}
