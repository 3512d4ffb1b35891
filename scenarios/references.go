package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"ordeal/targets/kubernetes"
)

// resolve checks that every name refers to something that there is.
func (d *decoder) resolve(there names, doc *document) {
	d.completeLinks(doc)
	for _, r := range d.refs {
		known, checked := there[r.kind]
		if !checked || slices.Contains(known, r.name) {
			continue
		}
		if r.kind == "link" {
			d.badLink(r, there)
			continue
		}
		d.bad(r.at, fmt.Sprintf("there is no %s %q", r.kind, r.name), suggest(r.name, known))
	}
}

// badLink says what a link that is not there lacks.
func (d *decoder) badLink(r reference, there names) {
	from, to := ends(r.name)
	var known []string
	for _, link := range slices.Compact(slices.Sorted(slices.Values(there["link"]))) {
		a, b := ends(link)
		switch {
		case slices.Contains(there["target"], b):
			known = append(known, link)
		case a == from:
			return // a call of it has no target, which is said already
		}
	}
	hint := suggest(r.name, known)
	switch {
	case slices.Contains(kubernetes.Links(), r.name):
		d.bad(r.at, fmt.Sprintf("only a control plane of the run's own has the link %s", r.name), "want kubernetes: local, or another link")
	case from == "" || to == "":
		d.bad(r.at, fmt.Sprintf("%q is not a link", r.name), "want "+oneOf(known))
	case from == client && slices.Contains(there["target"], to):
		d.bad(r.at, fmt.Sprintf("no load calls %s, so nothing passes the link %s", to, r.name), hint)
	case slices.Contains(there["target"], from) && slices.Contains(there["target"], to):
		d.bad(r.at, fmt.Sprintf("%s does not call %s", from, to), fmt.Sprintf("%s; what a target calls is said by its calls: {…}", hint))
	default:
		d.bad(r.at, fmt.Sprintf("there is no link %q", r.name), hint)
	}
}

// completeLinks lets the breaker of a target name its link by the far end alone.
func (d *decoder) completeLinks(doc *document) {
	for _, e := range doc.Expect {
		if e == nil || e.Breaker == nil || e.Breaker.Link == "" || strings.Contains(e.Breaker.Link, "->") {
			continue
		}
		full := linkName(e.Breaker.Target, e.Breaker.Link)
		at := d.place(e.Breaker, "link")
		for i, r := range d.refs {
			if r.kind == "link" && r.at == at {
				d.refs[i].name = full
			}
		}
		e.Breaker.Link = full
	}
}

// ends splits the name of a link; both are empty if it is not one.
func ends(link string) (from, to string) {
	from, to, ok := strings.Cut(link, "->")
	if !ok || strings.Contains(to, "->") {
		return "", ""
	}
	return from, to
}
