package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// LinkSpec is a link that is to go through a proxy.
type LinkSpec struct {
	Name      string   // "gateway->users"
	From, To  string   // a target, or "client" for the load generator
	Upstreams []string // the addresses of the called, one a replica
}

// Links are the links of one run. They carry traffic from OpenLinks to Close,
// whether a fault acts or not, so that phases differ by their faults alone.
type Links struct {
	all []*Link
}

// OpenLinks opens a proxy on a loopback port of its own for every upstream of
// every link. The context bounds the opening alone. Events of the links go to
// out, at times of the clock. When it fails, nothing is left open.
func OpenLinks(ctx context.Context, specs []LinkSpec, clock evidence.Clock, out evidence.Sink) (*Links, error) {
	links := &Links{}
	for _, spec := range specs {
		l, err := openLink(ctx, spec, clock, out)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open link %s: %w", spec.Name, err), links.Close(context.WithoutCancel(ctx)))
		}
		links.all = append(links.all, l)
	}
	return links, nil
}

// Get gives the link with a name, or nil.
func (ls *Links) Get(name string) *Link {
	i := slices.IndexFunc(ls.all, func(l *Link) bool { return l.spec.Name == name })
	if i < 0 {
		return nil
	}
	return ls.all[i]
}

// Each calls do for every link, in the order of their specs.
func (ls *Links) Each(do func(*Link)) {
	for _, l := range ls.all {
		do(l)
	}
}

// Close closes every port and every connection, faults or not, and waits until
// all that ran for them has ended, or ctx has.
func (ls *Links) Close(ctx context.Context) error {
	var errs []error
	for _, l := range ls.all {
		l.shut()
	}
	for _, l := range ls.all {
		if err := l.wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close link %s: %w", l.spec.Name, err))
		}
	}
	return errors.Join(errs...)
}

// The times of a link that are no part of any fault.
const (
	// dialTime bounds the wait for the called to take a connection.
	dialTime = 3 * time.Second
	// giveUpTime is how long a faulted stream may take to drain.
	giveUpTime = 3 * time.Second
)

func dial(ctx context.Context, addr string) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: dialTime}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}
