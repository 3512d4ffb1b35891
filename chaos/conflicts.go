package chaos

import "fmt"

// Conflicts says in a sentence why two faults of one phase cannot act
// together, or gives "" if they can: they act in different places or in
// different directions, or their effects add up.
func Conflicts(a, b *Spec) string {
	if a.Link != b.Link || a.Target != b.Target || a.Node != b.Node {
		return ""
	}
	aNames, aKinds := a.set()
	bNames, bKinds := b.set()
	if len(aKinds) != 1 || len(bKinds) != 1 {
		return ""
	}
	aName, aKind, bName, bKind := aNames[0], aKinds[0], bNames[0], bKinds[0]
	switch {
	case a.Node != "":
		return fmt.Sprintf("%s acts on node %s twice", aName, a.Node)
	case a.OnPods() && b.OnPods():
		return fmt.Sprintf("%s and %s cannot both act on the Pods of %s", aName, bName, a.Target)
	case a.Target != "":
		return processConflict(aName, aKind, bName, bKind, a.Target)
	}
	aWay, bWay := wayOf(aKind), wayOf(bKind)
	if aWay != "" && bWay != "" && aWay != bWay && aWay != both && bWay != both {
		return ""
	}
	if aName == bName {
		return fmt.Sprintf("%s acts on %s twice: give it once, with the attributes that are meant", aName, a.Link)
	}
	if why := excludes(aKind, bKind); why != "" {
		return fmt.Sprintf("%s leaves %s nothing to act on: on %s %s", aName, bName, a.Link, why)
	}
	if why := excludes(bKind, aKind); why != "" {
		return fmt.Sprintf("%s leaves %s nothing to act on: on %s %s", bName, aName, a.Link, why)
	}
	return ""
}

func processConflict(aName string, a kind, bName string, b kind, target string) string {
	one, another := replicaOf(a), replicaOf(b)
	if one != 0 && another != 0 && one != another {
		return ""
	}
	return fmt.Sprintf("%s and %s cannot both act on the processes of %s", aName, bName, target)
}

// A kind that acts on bytes on their way says which way.
type wayward interface{ way() string }

func wayOf(k kind) string {
	if w, ok := k.(wayward); ok {
		return w.way()
	}
	return ""
}

// A kind that may act on one replica of a target says which; 0 is all.
type replicated interface{ replica() int }

func replicaOf(k kind) int {
	if r, ok := k.(replicated); ok {
		return r.replica()
	}
	return 0
}

// A kind that leaves other kinds nothing to act on says why: leaves no bytes,
// or no connections at all.
type (
	byteless interface{ leavesNoBytes() string }
	connless interface{ leavesNoConnections() string }
)

func excludes(a, b kind) string {
	if c, ok := a.(connless); ok {
		if why := c.leavesNoConnections(); why != "" {
			return why
		}
	}
	if c, ok := a.(byteless); ok && wayOf(b) != "" {
		return c.leavesNoBytes()
	}
	return ""
}
