package chaos

import (
	"fmt"
	"reflect"
)

// Spec is one fault of a phase as a scenario writes it: where it acts, and one
// kind of fault. A kind is a struct in a file of its own, and one line here.
type Spec struct {
	Link   string `yaml:"link" ref:"link" doc:"the link that breaks, as \"gateway->users\"; \"client->gateway\" is the way from the load generator"`
	Target string `yaml:"target" ref:"target" doc:"the target whose processes or Pods break"`
	Node   string `yaml:"node" doc:"the node of the cluster that is drained; the one with the most Pods of the target if that is given instead"`

	Latency   *Latency   `yaml:"latency" oneof:"kind" doc:"on a link: every byte comes later"`
	Bandwidth *Bandwidth `yaml:"bandwidth" oneof:"kind" doc:"on a link: few bytes a second get through"`
	Blackhole *Blackhole `yaml:"blackhole" oneof:"kind" doc:"on a link: nothing gets through, connections stay open"`
	Reset     *Reset     `yaml:"reset" oneof:"kind" doc:"on a link: connections break with a TCP reset"`
	Slicer    *Slicer    `yaml:"slicer" oneof:"kind" doc:"on a link: bytes come in small pieces"`
	LimitData *LimitData `yaml:"limit_data" oneof:"kind" doc:"on a link: connections close after a number of bytes"`
	SlowClose *SlowClose `yaml:"slow_close" oneof:"kind" doc:"on a link: the end of a stream comes later"`
	Refuse    *Refuse    `yaml:"refuse" oneof:"kind" doc:"on a link: the port is closed, connections are refused"`
	Kill      *Kill      `yaml:"kill" oneof:"kind" doc:"on a target: processes are killed, and started again"`
	Pause     *Pause     `yaml:"pause" oneof:"kind" doc:"on a target: processes stand still"`
	Restart   *Restart   `yaml:"restart" oneof:"kind" doc:"on a target: a graceful rolling restart"`

	PodKill    *PodKill    `yaml:"pod_kill" oneof:"kind" doc:"on a target that is a Service: Pods are deleted, and others take their place"`
	PodUnready *PodUnready `yaml:"pod_unready" oneof:"kind" doc:"on a target that is a Service: Pods are taken out of rotation by their readiness gate ordeal/in-rotation"`
	PodStuck   *PodStuck   `yaml:"pod_stuck" oneof:"kind" doc:"on a target that is a Service of kubernetes: local: the processes of Pods stand still"`
	CrashLoop  *CrashLoop  `yaml:"crash_loop" oneof:"kind" doc:"on a target that is a Service: a template is rolled out whose Pods fail to start"`
	Drain      *Drain      `yaml:"drain" oneof:"kind" doc:"on a node: it takes no Pods, and those it has are evicted as their budgets allow"`
}

// kind is what every kind of fault has.
type kind interface {
	fmt.Stringer
	Validate(bad func(field, format string, args ...any))
}

// set gives the kinds that are set, with their YAML names: exactly one in a
// valid spec.
func (s *Spec) set() (names []string, kinds []kind) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("oneof") != "kind" || v.Field(i).IsNil() {
			continue
		}
		names = append(names, field.Tag.Get("yaml"))
		kinds = append(kinds, v.Field(i).Interface().(kind))
	}
	return names, kinds
}

// Validate reports a fault that is nowhere, or of a kind that does not act
// where it is put. The kinds validate themselves.
func (s *Spec) Validate(bad func(field, format string, args ...any)) {
	names, kinds := s.set()
	if len(kinds) != 1 {
		bad("", "want exactly one kind of fault, not %d", len(kinds))
		return
	}
	s.place(names[0], kinds[0], bad)
}

// place reports a kind of fault that is in no place, in several, or in one that
// it does not act on.
func (s *Spec) place(name string, k kind, bad badFunc) {
	_, onLink := k.(linkKind)
	_, onNode := k.(nodeKind)
	switch {
	case s.Link != "" && s.Target != "":
		bad("target", "want either link or target: a fault acts in one place")
	case s.Node != "" && s.Link+s.Target != "":
		bad("node", "want either node or %s: a fault acts in one place", s.other())
	case s.Link+s.Target+s.Node == "" && onNode:
		bad("", "want the node that %s acts on, or a target with Pods on it", name)
	case s.Link+s.Target+s.Node == "" && onLink:
		bad("", "want the link that %s acts on", name)
	case s.Link+s.Target+s.Node == "":
		bad("", "want the target that %s acts on", name)
	case s.Node != "" && !onNode:
		bad("node", "%s does not act on a node", name)
	case onLink && s.Link == "":
		bad("target", "%s acts on a link, not on a target", name)
	case !onLink && s.Link != "" && onNode:
		bad("link", "%s acts on a node, not on a link", name)
	case !onLink && s.Link != "":
		bad("link", "%s acts on a target, not on a link", name)
	}
}

// nodeKind is a kind of fault in a cluster that may be given a node.
type nodeKind interface {
	clusterKind
	drains()
}

func (s *Spec) other() string {
	if s.Link != "" {
		return "link"
	}
	return "target"
}

// OnPods reports whether the fault acts on Pods of a cluster, rather than on
// links or on processes that the run started itself.
func (s *Spec) OnPods() bool {
	_, kinds := s.set()
	if len(kinds) != 1 {
		return false
	}
	_, ok := kinds[0].(clusterKind)
	return ok
}

// String names the fault with its attributes and its place, as in "latency
// 300ms ± 50ms on gateway->users".
func (s *Spec) String() string {
	_, kinds := s.set()
	switch {
	case len(kinds) != 1:
		return "no fault"
	case s.Link != "":
		return kinds[0].String() + " on " + s.Link
	case s.Node != "":
		return kinds[0].String() + " on node " + s.Node
	}
	return kinds[0].String() + " on " + s.Target
}
