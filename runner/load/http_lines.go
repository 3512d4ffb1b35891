package load

import (
	"bytes"
	"encoding/binary"
)

// headLines is what the lines of headers say, as long as they are of the plain
// kind that servers write. Others are odd: net/http's parser reads them again.
type headLines struct {
	size     int  // of the lines that have been looked at
	odd      bool // nothing else is known then
	code     int
	sized    bool // there is a length
	length   int64
	chunked  bool
	closes   bool    // a Connection header says so
	servedBy section // of the headers
	degraded section
}

type section struct{ from, to int }

// of is the part of the headers that s stands for.
func (s section) of(headers []byte) []byte { return headers[s.from:s.to] }

// head is what they say of an answer to the method; here begins with them.
func (l *headLines) head(here []byte, method string) head {
	length := untilEnd
	switch {
	case l.chunked:
		length = inChunks
	case l.sized:
		length = l.length
	}
	found := newHead(l.code, length, l.closes, method)
	found.servedBy, found.degraded = l.servedBy.of(here), l.degraded.of(here)
	return found
}

// look looks at the lines that have come since the last time, and reports whether
// the last one has; here begins with the first line each time.
func (l *headLines) look(here []byte) (all bool) {
	for {
		n := bytes.IndexByte(here[l.size:], '\n')
		if n < 0 {
			return false
		}
		from := l.size
		l.size += n + 1
		line := here[from : from+n]
		if n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		} else {
			l.odd = true
		}
		switch {
		case len(line) == 0:
			l.odd = l.odd || from == 0
			return true
		case l.odd:
		case from == 0:
			l.first(line)
		default:
			l.field(line, from)
		}
	}
}

var http11 = []byte("HTTP/1.1 ")

// first reads the status line.
func (l *headLines) first(line []byte) {
	const end = len("HTTP/1.1 200")
	l.odd = len(line) < end || !bytes.HasPrefix(line, http11) || len(line) > end && line[end] != ' ' || !printable(line)
	if l.odd {
		return
	}
	code, ok := number(line[len(http11):end])
	l.code, l.odd = int(code), !ok || code < 100
}

// Names of headers that matter.
var (
	servedBy         = []byte("X-Served-By")
	degraded         = []byte("X-Degraded")
	connection       = []byte("Connection")
	contentLength    = []byte("Content-Length")
	transferEncoding = []byte("Transfer-Encoding")
	trailer          = []byte("Trailer")
)

// field reads a line after the first, which begins at a place in the headers.
func (l *headLines) field(line []byte, from int) {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !isName(line[:colon]) || !printable(line[colon+1:]) {
		l.odd = true
		return
	}
	name, value := line[:colon], line[colon+1:]
	switch len(name) {
	case len(trailer):
		l.odd = bytes.EqualFold(name, trailer) // some are forbidden
	case len(connection): // and of X-Degraded
		if bytes.EqualFold(name, connection) {
			l.closes = l.closes || closes(value)
		} else if bytes.EqualFold(name, degraded) && l.degraded.to == 0 {
			l.degraded = trimmed(line, colon+1, from)
		}
	case len(servedBy):
		if bytes.EqualFold(name, servedBy) && l.servedBy.to == 0 {
			l.servedBy = trimmed(line, colon+1, from)
		}
	case len(contentLength):
		if bytes.EqualFold(name, contentLength) {
			var ok bool
			l.length, ok = number(bytes.Trim(value, " "))
			l.odd = !ok || l.sized || l.chunked
			l.sized = true
		}
	case len(transferEncoding):
		if bytes.EqualFold(name, transferEncoding) {
			l.odd = l.sized || l.chunked || !bytes.EqualFold(bytes.Trim(value, " "), chunkedWord)
			l.chunked = true
		}
	}
}

var (
	comma       = []byte(",")
	closeWord   = []byte("close")
	chunkedWord = []byte("chunked")
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

// trimmed is the part of headers that line has from a place on, without the spaces
// around it.
func trimmed(line []byte, at, from int) section {
	to := len(line)
	for at < to && line[at] == ' ' {
		at++
	}
	for at < to && line[to-1] == ' ' {
		to--
	}
	return section{from + at, from + to}
}

// number reads a number of at most 18 digits, and of no other letters.
func number(digits []byte) (n int64, ok bool) {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int64(d-'0')
	}
	return n, len(digits) > 0 && len(digits) <= 18
}

// isName reports whether it is made of the letters that the name of a header may have.
func isName(name []byte) bool {
	for _, b := range name {
		if !inNames[b] {
			return false
		}
	}
	return true
}

var inNames = func() (in [256]bool) {
	for _, b := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		in[b] = true
	}
	return in
}()

// printable reports whether there are no control characters in a text, tabs
// included. It looks at eight bytes at a time.
func printable(text []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		w := binary.LittleEndian.Uint64(text)
		low := (w - ' '*ones) &^ w // its top bits tell of bytes below a space
		del := w ^ 0x7f*ones       // has a zero where there is one
		if (low|(del-ones)&^del)&tops != 0 {
			return false
		}
	}
	for _, b := range text {
		if b < ' ' || b == 0x7f {
			return false
		}
	}
	return true
}
