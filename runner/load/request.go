package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"golang.org/x/net/http/httpguts"
)

// requests makes the HTTP requests of a load. All parsing is done before the
// first call; a load without templates makes each request from ready parts.
type requests struct {
	load    string
	seed    uint64
	rows    []Row
	method  string
	path    text
	body    content
	headers bindings
	auth    *authorization

	fixedBody []byte // where the body is no template
	bodyFixed bool
	header    atomic.Pointer[signedHeader] // the headers, where they are no templates

	fixed  bool     // no part is a template
	places []*place // one for each address that was there before the run
}

// signedHeader is a complete set of headers with the authorization in it. It
// is shared by requests and never changed.
type signedHeader struct {
	authorization string
	header        http.Header
}

func newRequests(spec *Spec, env Env) (*requests, error) {
	h := spec.HTTP
	r := &requests{load: spec.Name, seed: env.Seed}
	var path string
	r.method, path, _ = h.request()
	var err error
	if r.path, err = parseText("path", path); err != nil {
		return nil, err
	}
	if r.body, err = parseBody(h.Body); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if r.headers, err = parseBindings(h.withAuth()); err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	if r.auth, err = h.Auth.authorize(); err != nil {
		return nil, err
	}
	if h.Data != nil {
		if r.rows, err = h.Data.Rows(env.Dir); err != nil {
			return nil, err
		}
	}
	for _, m := range membersAt(env.Addrs) {
		p, err := r.place(m)
		if err != nil {
			return nil, err
		}
		r.places = append(r.places, p)
	}
	r.fixedBody, r.bodyFixed = r.body.fixed()
	r.fixed = r.path.tmpl == nil && r.bodyFixed && r.headers.fixed()
	_, err = r.make(context.Background(), 0, r.places[0])
	return r, err
}

// withAuth is the headers, with a bearer template as one of them.
func (h *HTTP) withAuth() map[string]string {
	all := map[string]string{"User-Agent": "ordeal"}
	if _, ok := h.Body.(string); h.Body != nil && !ok {
		all["Content-Type"] = "application/json"
	}
	for name, value := range h.Headers {
		all[http.CanonicalHeaderKey(name)] = value
	}
	if h.Auth != nil && h.Auth.Bearer != nil {
		all["Authorization"] = "Bearer " + *h.Auth.Bearer
	}
	return all
}

// baseURL takes host:port, or a URL.
func baseURL(addr string) (*url.URL, error) {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("address %q: want host:port, or a URL with http or https", addr)
	}
	return u, nil
}

// make gives the request of call seq, which goes to a place.
func (r *requests) make(ctx context.Context, seq uint64, to *place) (*http.Request, error) {
	var v *vars
	if !r.fixed {
		v = newVars(r.seed, seq, r.load, r.rows)
	}
	u, err := r.url(to, v)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	header, err := r.makeHeader(v)
	if err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	req := &http.Request{
		Method: r.method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		// net/http sends the header, and keeps the connection unless told here.
		Close: httpguts.HeaderValuesContainsToken(header["Connection"], "close"),
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	body := r.fixedBody
	if !r.bodyFixed {
		if body, err = r.body.render(nil, v); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	if len(body) > 0 {
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return req.WithContext(ctx), nil
}

// url gives the address of a call. It is shared by calls where it is fixed, and
// never changed.
func (r *requests) url(to *place, v *vars) (*url.URL, error) {
	if to.url != nil {
		return to.url, nil
	}
	path, err := r.path.render(v)
	if err != nil {
		return nil, err
	}
	return join(to.base, path)
}

// join is a path, perhaps with a query, on an address.
func join(base *url.URL, path string) (*url.URL, error) {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host = base.Scheme, base.Host
	if prefix := strings.TrimSuffix(base.Path, "/"); prefix != "" {
		u.Path, u.RawPath = prefix+u.Path, ""
	}
	return u, nil
}

// makeHeader gives the headers of a call: a shared set as long as neither a
// template nor a renewed token asks for another.
func (r *requests) makeHeader(v *vars) (http.Header, error) {
	authorization, err := r.authorization()
	if err != nil {
		return nil, err
	}
	fixed := r.headers.fixed()
	if ready := r.header.Load(); fixed && ready != nil && ready.authorization == authorization {
		return ready.header, nil
	}
	header := make(http.Header, len(r.headers)+1)
	for _, b := range r.headers {
		value, err := b.value.render(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		header[b.name] = []string{value}
	}
	if authorization != "" {
		header["Authorization"] = []string{authorization}
	}
	if fixed {
		r.header.Store(&signedHeader{authorization, header})
	}
	return header, nil
}

// authorization is the value of the Authorization header; "" for one that is
// among the headers, or is not there.
func (r *requests) authorization() (string, error) {
	if r.auth == nil {
		return "", nil
	}
	return r.auth.value()
}
