// Package change does things on purpose in the course of a run, that stay as they
// are: a new version is rolled out or taken back, a Service is switched to other
// Pods. Unlike a fault a change is not healed.
package change

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"ordeal/targets/kubernetes"
)

// Spec is one change of a phase as a scenario writes it: one kind of change. A
// kind is a struct in a file of its own, and one line here.
type Spec struct {
	Rollout *Rollout `yaml:"rollout" oneof:"kind" doc:"a Deployment gets a new template, and replaces its Pods by its own strategy"`
	Undo    *Undo    `yaml:"undo" oneof:"kind" doc:"a Deployment goes back to the template before the present one"`
	Restart *Restart `yaml:"restart" oneof:"kind" doc:"a Deployment replaces its Pods by new ones of the same template"`
	Switch  *Switch  `yaml:"switch" oneof:"kind" doc:"a Service selects other Pods, as from blue to green"`
	Scale   *Scale   `yaml:"scale" oneof:"kind" doc:"a Deployment wants another number of Pods"`
}

// Cluster is a Kubernetes cluster, as changes need it. No call waits for what
// follows from it.
type Cluster interface {
	// Rollout changes the template of a Deployment.
	Rollout(ctx context.Context, deployment string, change kubernetes.Template) error
	// Undo gives a Deployment the template that it had before the present one.
	Undo(ctx context.Context, deployment string) error
	// Restart lets a Deployment replace its Pods.
	Restart(ctx context.Context, deployment string) error
	// Select makes a Service select Pods by other values of the labels given.
	Select(ctx context.Context, service string, selector map[string]string) (before map[string]string, err error)
	// Scale says how many Pods a Deployment is to have.
	Scale(ctx context.Context, deployment string, replicas int) error
}

// kind is what every kind of change has.
type kind interface {
	fmt.Stringer
	Validate(bad func(field, format string, args ...any))
	make(ctx context.Context, c Cluster) error
	object() Object
}

// Object is what a change is made to.
type Object struct{ Kind, Name string }

func (o Object) String() string { return o.Kind + " " + o.Name }

// set gives the one kind that is set; ok is false where it is not one.
func (s *Spec) set() (k kind, ok bool) {
	v := reflect.ValueOf(s).Elem()
	n := 0
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			k = v.Field(i).Interface().(kind)
			n++
		}
	}
	return k, n == 1
}

// Validate reports a change of no kind, or of several. The kinds validate
// themselves.
func (s *Spec) Validate(bad func(field, format string, args ...any)) {
	if _, ok := s.set(); !ok {
		bad("", "want exactly one kind of change")
	}
}

// Object says what the change is made to.
func (s *Spec) Object() Object {
	if k, ok := s.set(); ok {
		return k.object()
	}
	return Object{}
}

// String says what is done, as in "rollout of Deployment gateway: env VERSION=2".
func (s *Spec) String() string {
	if k, ok := s.set(); ok {
		return k.String()
	}
	return "no change"
}

// Make makes the change, and returns as soon as the API server has taken it. The
// error says what could not be done.
func (s *Spec) Make(ctx context.Context, c Cluster) error {
	k, ok := s.set()
	switch {
	case !ok:
		return errors.New("make a change: it is of no kind, or of several")
	case c == nil:
		return fmt.Errorf("make %s: there is no cluster", s)
	}
	if err := k.make(ctx, c); err != nil {
		return fmt.Errorf("make %s: %w", s, err)
	}
	return nil
}

func deployment(name string) Object { return Object{Kind: "Deployment", Name: name} }
