package verdict

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// side is the version that a Pod is of.
type side int

const (
	neither side = iota // another Pod altogether
	oldSide
	newSide
)

// versions tells which Pods, by name, are of which version.
type versions map[string]side

// sides tells the versions apart, or says why it cannot.
func (s *shift) sides() (versions, string) {
	if s.Service != "" {
		return s.stage.switched(s.Service, s.at)
	}
	return s.stage.rolled(s.Deployment, s.at)
}

// hashLabel is the label by which a Pod and its ReplicaSet name their template.
const hashLabel = "pod-template-hash"

// revisionNote is the annotation of a ReplicaSet by which its Deployment says how
// late its template came. A template that comes back gets the next number.
const revisionNote = "deployment.kubernetes.io/revision"

// rolled tells the Pods of a Deployment apart by the templates before and after a
// moment.
func (st *stage) rolled(deployment string, at time.Duration) (versions, string) {
	var now, then revised // the latest template of all, and of those before the change
	own := map[string]bool{}
	for _, rs := range st.sets {
		if !rs.ownedBy("Deployment", deployment) {
			continue
		}
		own[rs.Metadata.Name] = true
		if n, err := strconv.Atoi(rs.Metadata.Annotations[revisionNote]); err == nil {
			one := revised{n, rs.Metadata.Name}
			now = now.later(one)
			if rs.at <= at {
				then = then.later(one)
			}
		}
	}
	switch {
	case len(own) == 0:
		return nil, fmt.Sprintf("nothing was seen of a ReplicaSet of Deployment %s", deployment)
	case then.set == "":
		return nil, fmt.Sprintf("it is not known which template Deployment %s had before the change", deployment)
	case now.set == then.set:
		return nil, fmt.Sprintf("the change gave Deployment %s no other template: there is one version only", deployment)
	}
	found := versions{}
	for _, p := range st.pods {
		for _, owner := range p.Metadata.OwnerReferences {
			switch {
			case owner.Kind != "ReplicaSet" || !own[owner.Name]:
			case owner.Name == now.set:
				found[p.Metadata.Name] = newSide
			default:
				found[p.Metadata.Name] = oldSide
			}
		}
	}
	return found, ""
}

// revised is a ReplicaSet with the number of its template.
type revised struct {
	revision int
	set      string
}

func (a revised) later(b revised) revised {
	if b.revision > a.revision || a.set == "" {
		return b
	}
	return a
}

// switched tells Pods apart by what a Service selected before and after a moment.
func (st *stage) switched(service string, at time.Duration) (versions, string) {
	var before, after map[string]string
	for _, svc := range st.services {
		if svc.Metadata.Name != service {
			continue
		}
		var selector map[string]string
		if err := json.Unmarshal(svc.Spec.Selector, &selector); err != nil {
			return nil, fmt.Sprintf("the selector of Service %s cannot be read: %v", service, err)
		}
		switch {
		case svc.at <= at:
			before = selector
		case after == nil && !same(before, selector):
			after = selector
		}
	}
	switch {
	case before == nil:
		return nil, fmt.Sprintf("it is not known what Service %s selected before the change", service)
	case after == nil:
		return nil, fmt.Sprintf("nothing was seen of Service %s selecting other Pods after the change", service)
	}
	found := versions{}
	for _, p := range st.pods {
		switch labels := p.Metadata.Labels; {
		case selects(after, labels):
			found[p.Metadata.Name] = newSide
		case selects(before, labels):
			found[p.Metadata.Name] = oldSide
		}
	}
	return found, ""
}

func same(a, b map[string]string) bool { return selects(a, b) && selects(b, a) }

// selects reports whether labels have all that a selector asks for.
func selects(selector, labels map[string]string) bool {
	for key, value := range selector {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}
