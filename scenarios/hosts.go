package scenarios

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"ordeal/targets"
)

// Hosts lists every host that load, faults or scrapes go to, sorted.
func (p *Plan) Hosts() []string {
	var out []string
	for _, t := range p.Targets {
		for _, h := range hostsOf(t) {
			out = append(out, h.name)
		}
	}
	if p.Kubernetes != nil && p.Kubernetes.Local != nil {
		out = append(out, "127.0.0.1")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CheckHosts refuses a plan that reaches beyond loopback to a host that is not
// among those allowed. The error is an Errors.
func (p *Plan) CheckHosts(allow []string) error {
	var errs Errors
	for _, t := range p.Targets {
		for _, h := range hostsOf(t) {
			if loopback(h.name) || slices.ContainsFunc(allow, func(a string) bool { return strings.EqualFold(a, h.name) }) {
				continue
			}
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(t, h.field),
				fmt.Sprintf("target %s is on %q, which is not this machine's loopback", t.Name, h.name),
				fmt.Sprintf("allow it with --allow-host %s, if it is yours to load and to break", h.name)))
		}
	}
	if len(errs) > 0 {
		return sortErrors(errs)
	}
	return nil
}

// CheckContext refuses a plan that uses a context of a kubeconfig file that is not
// among those allowed. The error is an Errors.
func (p *Plan) CheckContext(allow []string) error {
	if p.Kubernetes == nil || p.Kubernetes.Local != nil || slices.Contains(allow, p.Kubernetes.Context) {
		return nil
	}
	name := p.Kubernetes.Context
	return Errors{p.decoded.src.errorAt(p.decoded.place(p.Kubernetes, "context"),
		fmt.Sprintf("context %s is a cluster beyond this run", name),
		fmt.Sprintf("allow it with --allow-context %s, if it is yours to load and to break", name))}
}

// host is a host that a target lies on, and the field that says so.
type host struct{ name, field string }

// hostsOf lists the hosts of a target.
func hostsOf(t *targets.Spec) []host {
	field := map[string]string{targets.KindExternal: "external", targets.KindCommand: "listen", targets.KindReference: "reference", targets.KindService: "service"}[t.Kind()]
	var out []host
	add := func(name, field string) {
		if name != "" && !slices.ContainsFunc(out, func(h host) bool { return h.name == name }) {
			out = append(out, host{name, field})
		}
	}
	addURL := func(text, field string) {
		if u, err := url.Parse(text); err == nil {
			add(u.Hostname(), field)
		}
	}
	if names := t.Hosts(); len(names) > 0 {
		add(cmp.Or(names[0], "0.0.0.0"), field) // no name is a listener on every address
	}
	addURL(t.Metrics, "metrics")
	if t.Ready != nil {
		addURL(t.Ready.HTTP, "ready.http")
	}
	return out
}

// loopback reports whether a host is this machine and nothing else.
func loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
