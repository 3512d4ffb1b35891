package load

import (
	"fmt"
	"net/url"
	"sync/atomic"
)

// place is where calls go: one address of the target, with what is ready for all
// calls to it.
type place struct {
	base *url.URL
	name string               // of who is there
	url  *url.URL             // of each call, where the path is no template
	wire atomic.Pointer[wire] // of each call, where the request is fixed
}

// place makes ready for calls to a member.
func (r *requests) place(m Member) (*place, error) {
	base, err := baseURL(m.Addr)
	if err != nil {
		return nil, err
	}
	p := &place{base: base, name: base.Host}
	if m.Name != "" {
		p.name = m.Name
	}
	if r.path.tmpl == nil {
		if p.url, err = join(base, r.path.fixed); err != nil {
			return nil, fmt.Errorf("path: %w", err)
		}
	}
	return p, nil
}

// follow calls moved with the places that calls go to, and again whenever these
// change, until stop is called. A place stays the same while its member does.
func (r *requests) follow(members Members, moved func([]*place)) (stop func()) {
	if members == nil {
		moved(r.places)
		return func() {}
	}
	var known map[Member]*place
	return members.Follow(func(now []Member) {
		places, next := make([]*place, 0, len(now)), make(map[Member]*place, len(now))
		for _, m := range now {
			p := known[m]
			if p == nil {
				var err error
				if p, err = r.place(m); err != nil {
					continue // not an address: nobody can be called there
				}
			}
			places, next[m] = append(places, p), p
		}
		known = next
		moved(places)
	})
}
