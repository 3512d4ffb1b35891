package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Misfit is what is wrong with one field of a load.
type Misfit struct {
	In    any    // the struct of the field: a pointer that Spec leads to
	Field string // by its YAML name; what lies in it after a dot, as in "headers.X-User" or "messages.0.id"
	Err   error
}

// Prepare tries out everything of the load that needs no target: data files
// and descriptions are read, a token is made, and the request of a sample call
// is put together for each set of columns that the data has. Relative names
// are taken from dir, where the scenario is; served tells of the gRPC services
// of the target, nil where only the target itself could. A load without misfits
// can still fail on the values of other calls.
func (s *Spec) Prepare(dir string, seed uint64, served Services) []Misfit {
	t := &trial{spec: s, served: served}
	rows, ok := t.rows(dir)
	if !ok {
		return t.found // no template can be filled
	}
	t.vars = newVars(seed, 0, s.Name, rows)
	t.request(dir)
	for _, n := range shapes(rows) {
		if len(t.found) > 0 {
			break
		}
		t.vars, t.row = newVars(seed, n, s.Name, rows), n+1
		t.request(dir)
	}
	return t.found
}

// trial is a sample call that is put together and not sent.
type trial struct {
	spec   *Spec
	served Services
	vars   *vars
	row    uint64 // of the data, from 1; 0 for the first, which needs no number
	found  []Misfit
}

func (t *trial) bad(in any, field string, err error) {
	if err != nil {
		t.found = append(t.found, Misfit{in, field, err})
	}
}

// rows reads the data file, if there is one.
func (t *trial) rows(dir string) (rows []Row, ok bool) {
	d := t.spec.data()
	if d == nil {
		return nil, true
	}
	rows, err := d.Rows(dir)
	if field := "csv"; err != nil {
		if d.CSV == "" {
			field = "json"
		}
		t.bad(d, field, err)
	}
	return rows, err == nil
}

// shapes are the numbers of the first rows, besides row 0, that have other
// columns than those before.
func shapes(rows []Row) []uint64 {
	var found []uint64
	seen := map[string]bool{}
	for i, row := range rows {
		names := make([]string, 0, len(row))
		for name := range row {
			names = append(names, strconv.Quote(name))
		}
		slices.Sort(names)
		shape := strings.Join(names, ",")
		if !seen[shape] && len(seen) < maxShapes {
			seen[shape] = true
			if i > 0 {
				found = append(found, uint64(i))
			}
		}
	}
	return found
}

// maxShapes bounds the sample calls.
const maxShapes = 100

func (t *trial) request(dir string) {
	switch {
	case t.spec.HTTP != nil:
		t.http(t.spec.HTTP, dir)
	case t.spec.GRPC != nil:
		t.grpc(t.spec.GRPC, dir)
	case t.spec.Trickle != nil:
		path := t.spec.Trickle.path()
		_, err := url.ParseRequestURI(path)
		if err == nil && strings.Contains(path, " ") {
			err = errors.New("a space in a path is written %20")
		}
		t.bad(t.spec.Trickle, "path", err)
	}
}

// text fills a string of the request.
func (t *trial) text(in any, field, s string) (string, bool) {
	parsed, err := parseText(field, s)
	if err == nil {
		s, err = parsed.render(t.vars)
	}
	t.bad(in, field, t.explain(err))
	return s, err == nil
}

// content fills a body or a message, part by part.
func (t *trial) content(in any, field string, c content, err error) {
	t.bad(in, field, err)
	for _, p := range c.parts {
		if _, err := p.text.render(t.vars); err != nil {
			at := field
			if p.at != "" {
				at += "." + p.at
			}
			t.bad(in, at, t.explain(err))
		}
	}
}

func (t *trial) http(h *HTTP, dir string) {
	method, path, _ := h.request()
	if path, ok := t.text(h, strings.ToLower(method), path); ok {
		_, err := url.ParseRequestURI(path)
		t.bad(h, strings.ToLower(method), err)
	}
	for name, value := range h.Headers {
		if value, ok := t.text(h, "headers."+name, value); ok {
			t.bad(h, "headers."+name, sendable(name, value))
		}
	}
	body, err := parseBody(h.Body)
	t.content(h, "body", body, err)
	t.auth(h, h.Auth)
	_, err = h.TLS.config(dir)
	t.bad(h.TLS, "ca", err)
}

func (t *trial) auth(in any, a *Auth) {
	_, err := a.authorize()
	t.bad(in, "auth", err)
	if a != nil && a.Bearer != nil {
		if token, ok := t.text(a, "bearer", *a.Bearer); ok {
			t.bad(a, "bearer", sendable("Authorization", "Bearer "+token))
		}
	}
}

// errNoNetwork is how far a request comes that is right.
var errNoNetwork = errors.New("there is no network")

// sendable asks net/http whether it would send a header, on a network that is
// not there.
func sendable(name, value string) error {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errNoNetwork }}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	if err != nil {
		return err
	}
	req.Header = http.Header{http.CanonicalHeaderKey(name): {value}}
	res, err := transport.RoundTrip(req)
	if err == nil {
		err = res.Body.Close()
	}
	if errors.Is(err, errNoNetwork) {
		return nil
	}
	return err
}

// explain words the error of a template for the one who wrote it.
func (t *trial) explain(err error) error {
	if err == nil {
		return nil
	}
	_, text, ok := strings.Cut(err.Error(), " at <")
	if !ok {
		return err
	}
	expr, why, ok := strings.Cut(text, ">: ")
	if !ok {
		return err
	}
	row := "its data"
	if t.row > 0 {
		row = fmt.Sprintf("row %d of its data", t.row)
	}
	switch {
	case strings.HasPrefix(why, "map has no entry") && t.spec.data() == nil:
		return fmt.Errorf("the template asks for %s, and the load has no data file", expr)
	case strings.HasPrefix(why, "map has no entry"):
		return fmt.Errorf("the template asks for %s, and %s has the columns %s only", expr, row, strings.Join(t.vars.Row.columns(), ", "))
	case strings.HasPrefix(why, "can't evaluate field"):
		return fmt.Errorf("a template knows no %s: want .Seq, .Load, .Row.COLUMN, .Int, .Hex, .UUID or .Pick", expr)
	}
	return fmt.Errorf("the template fails at %s: %s", expr, why)
}
