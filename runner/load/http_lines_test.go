package load

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestPlainHeadersAsNetHTTPReadsThem: what is taken for plain means the same to
// net/http's parser, and what servers write is taken for plain.
func TestPlainHeadersAsNetHTTPReadsThem(t *testing.T) {
	for name, c := range map[string]struct {
		headers string
		odd     bool
	}{
		"nothing":             {"", false},
		"a server's":          {"Date: Sun, 29 Nov 2026 03:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 100\r\n", false},
		"other case":          {"content-length: 7\r\nx-served-by: a\r\nX-DEGRADED:b\r\n", false},
		"chunks":              {"Transfer-Encoding: Chunked\r\n", false},
		"closes":              {"Connection: x, Close\r\nContent-Length:  3  \r\n", false},
		"letters beyond":      {"X-Served-By: \xc3\xa9\xff\r\n", false},
		"the first of two":    {"X-Served-By: a\r\nX-Served-By: b\r\nX-Degraded: c\r\nX-Degraded: d\r\n", false},
		"no value":            {"X-Served-By:\r\nX-Empty: \r\n", false},
		"a tab":               {"X-Served-By:\ta\r\n", true},
		"a control character": {"X-Long-Enough: 1234567\x018\r\n", true},
		"a delete":            {"X-Long-Enough: 1234567\x7f\r\n", true},
		"a bare CR":           {"X-A: b\rc\r\n", true},
		"a folded line":       {"X-A: b\r\n c\r\n", true},
		"a space in the name": {"X A: b\r\n", true},
		"no name":             {": b\r\n", true},
		"no colon":            {"X-A\r\n", true},
		"a sign":              {"Content-Length: +1\r\n", true},
		"no length":           {"Content-Length:\r\n", true},
		"a huge length":       {"Content-Length: 9999999999999999999\r\n", true},
		"two lengths":         {"Content-Length: 1\r\nContent-Length: 2\r\n", true},
		"length and chunks":   {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", true},
		"chunks and length":   {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", true},
		"another encoding":    {"Transfer-Encoding: gzip, chunked\r\n", true},
		"a trailer":           {"Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			text := "HTTP/1.1 203 As It Is\r\n" + c.headers + "\r\n"
			var lines headLines
			if !lines.look([]byte(text)) || lines.size != len(text) {
				t.Fatalf("%d of %d bytes were looked at", lines.size, len(text))
			}
			if lines.odd != c.odd {
				t.Errorf("odd is %v", lines.odd)
			}
			if lines.odd {
				return
			}
			got := lines.head([]byte(text), http.MethodGet)
			want, err := parseHead(bufio.NewReader(strings.NewReader(text)), len(text), http.MethodGet)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%d %d %v %q %q", got.code, got.length, got.closes, got.servedBy, got.degraded) !=
				fmt.Sprintf("%d %d %v %q %q", want.code, want.length, want.closes, want.servedBy, want.degraded) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// TestStatusLines: a line is plain in one form only.
func TestStatusLines(t *testing.T) {
	for line, odd := range map[string]bool{
		"HTTP/1.1 200 OK": false, "HTTP/1.1 200": false, "HTTP/1.1 599 ": false, "HTTP/1.0 200 OK": true, "HTTP/1.1  200 OK": true, "HTTP/1.1 20": true,
		"HTTP/1.1 2000 OK": true, "HTTP/1.1 099 OK": true, "HTTP/1.1 2x0 OK": true, "HTTP/1.1 200 O\x01K": true, "http/1.1 200 OK": true, "": true,
	} {
		var lines headLines
		if !lines.look([]byte(line+"\r\n\r\n")) || lines.odd != odd {
			t.Errorf("%q: odd is %v", line, lines.odd)
		}
	}
}
