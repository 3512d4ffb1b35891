package load

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// HTTP is a load of HTTP requests. Strings may be templates: {{.Seq}} is the
// number of the call, {{.Load}} the name of the load, {{.Row.name}} a column of
// the data file; {{.Int 1 100}}, {{.Hex 8}}, {{.UUID}} and {{.Pick "a" "b"}} are
// random by the seed of the run, the same for the same call in every run.
type HTTP struct {
	Target string `yaml:"target" required:"true" ref:"target" doc:"the target that is called"`

	Get    string `yaml:"get" doc:"path of a GET"`
	Head   string `yaml:"head" doc:"path of a HEAD"`
	Post   string `yaml:"post" doc:"path of a POST"`
	Put    string `yaml:"put" doc:"path of a PUT"`
	Patch  string `yaml:"patch" doc:"path of a PATCH"`
	Delete string `yaml:"delete" doc:"path of a DELETE"`

	Headers map[string]string `yaml:"headers" doc:"headers of each request"`
	Body    any               `yaml:"body" doc:"a string is sent as it is, anything else as JSON"`
	Auth    *Auth             `yaml:"auth" doc:"who the caller says to be"`
	Data    *Data             `yaml:"data" doc:"a file whose rows the templates use, one row a call"`

	Transport string `yaml:"transport" enum:"fast,standard" doc:"what carries the calls: fast (HTTP/1.1, for the least cost a call), or standard (net/http, with HTTP/2 where the target speaks it over TLS); when absent, fast for http and standard for https"`
	TLS       *TLS   `yaml:"tls" doc:"how the certificate of an https target is checked; against the system's authorities when absent"`
}

// The transports of HTTP loads.
const (
	Fast     = "fast"
	Standard = "standard"
)

// transport is the one that the load uses.
func (h *HTTP) transport(secure bool) string {
	switch {
	case h.Transport != "":
		return h.Transport
	case secure:
		return Standard
	}
	return Fast
}

// request returns the method and the path; n is how many were given.
func (h *HTTP) request() (method, path string, n int) {
	for _, m := range []struct{ method, path string }{
		{http.MethodGet, h.Get}, {http.MethodHead, h.Head}, {http.MethodPost, h.Post},
		{http.MethodPut, h.Put}, {http.MethodPatch, h.Patch}, {http.MethodDelete, h.Delete},
	} {
		if m.path != "" {
			method, path = m.method, m.path
			n++
		}
	}
	return method, path, n
}

// Validate reports a request that cannot be made.
func (h *HTTP) Validate(bad func(field, format string, args ...any)) {
	method, path, n := h.request()
	if n != 1 {
		bad("", "want exactly one of get, head, post, put, patch, delete, with a path such as /api/v1/users; found %d", n)
	} else if !strings.HasPrefix(path, "/") {
		bad(strings.ToLower(method), "want a path that starts with /, not %q", path)
	}
	if h.Body != nil && (method == http.MethodGet || method == http.MethodHead) {
		bad("body", "a %s has no body", method)
	}
	if _, err := parseText("path", path); err != nil {
		bad(strings.ToLower(method), "%v", err)
	}
	if _, err := parseBody(h.Body); err != nil {
		bad("body", "%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		if _, err := parseText("header "+name, h.Headers[name]); err != nil {
			bad("headers", "%v", err)
		}
	}
}
