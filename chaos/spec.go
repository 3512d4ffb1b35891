package chaos

import (
	"fmt"
	"reflect"
)

// Spec is one fault of a phase as a scenario writes it: where it acts, and one
// kind of fault. A kind is a struct in a file of its own, and one line here.
type Spec struct {
	Link   string `yaml:"link" ref:"link" doc:"the link that breaks, as \"gateway->users\"; \"client->gateway\" is the way from the load generator"`
	Target string `yaml:"target" ref:"target" doc:"the target whose processes break"`

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
	_, onLink := kinds[0].(linkKind)
	switch {
	case s.Link != "" && s.Target != "":
		bad("target", "want either link or target: a fault acts in one place")
	case s.Link == "" && s.Target == "":
		if onLink {
			bad("", "want the link that %s acts on", names[0])
		} else {
			bad("", "want the target that %s acts on", names[0])
		}
	case onLink && s.Link == "":
		bad("target", "%s acts on a link, not on a target", names[0])
	case !onLink && s.Target == "":
		bad("link", "%s acts on a target, not on a link", names[0])
	}
}

// String names the fault with its attributes and its place, as in "latency
// 300ms ± 50ms on gateway->users".
func (s *Spec) String() string {
	_, kinds := s.set()
	if len(kinds) != 1 {
		return "no fault"
	}
	if s.Link != "" {
		return kinds[0].String() + " on " + s.Link
	}
	return kinds[0].String() + " on " + s.Target
}
