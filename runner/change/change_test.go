package change

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ordeal/targets/kubernetes"
)

// fakeCluster keeps what was done to it.
type fakeCluster struct {
	log  []string
	fail error
}

func (c *fakeCluster) do(format string, args ...any) error {
	c.log = append(c.log, fmt.Sprintf(format, args...))
	return c.fail
}

func (c *fakeCluster) Rollout(_ context.Context, d string, t kubernetes.Template) error {
	return c.do("rollout %s %+v", d, t)
}
func (c *fakeCluster) Undo(_ context.Context, d string) error    { return c.do("undo %s", d) }
func (c *fakeCluster) Restart(_ context.Context, d string) error { return c.do("restart %s", d) }
func (c *fakeCluster) Scale(_ context.Context, d string, n int) error {
	return c.do("scale %s %d", d, n)
}
func (c *fakeCluster) Select(_ context.Context, s string, by map[string]string) (map[string]string, error) {
	return nil, c.do("select %s %v", s, by)
}

var _ Cluster = (*kubernetes.Cluster)(nil)

// every kind once, with what it says and what it does.
func specs() map[string]Spec {
	return map[string]Spec{
		"rollout of Deployment gateway: annotations a=b, args -x, command /bin/gateway, env A=1 B=2, image ordeal/gateway:2, labels v=2": {Rollout: &Rollout{
			Deployment: "gateway", Container: "main", Env: map[string]string{"B": "2", "A": "1"}, Image: "ordeal/gateway:2",
			Command: []string{"/bin/gateway"}, Args: []string{"-x"}, Labels: map[string]string{"v": "2"}, Annotations: map[string]string{"a": "b"}}},
		"undo of Deployment gateway":                  {Undo: &Undo{Deployment: "gateway"}},
		"restart of Deployment gateway":               {Restart: &Restart{Deployment: "gateway"}},
		"switch of Service gateway: version=green":    {Switch: &Switch{Service: "gateway", Selector: map[string]string{"version": "green"}}},
		"scale of Deployment gateway: to 0":           {Scale: &Scale{Deployment: "gateway"}},
		"rollout of Deployment gateway-2: image x:2":  {Rollout: &Rollout{Deployment: "gateway-2", Image: "x:2"}},
		"rollout of Deployment gateway: labels app=a": {Rollout: &Rollout{Deployment: "gateway", Labels: map[string]string{"app": "a"}}},
	}
}

func problems(s Spec) []string {
	var all []string
	bad := func(field, format string, args ...any) {
		all = append(all, field+": "+fmt.Sprintf(format, args...))
	}
	s.Validate(bad)
	if k, ok := s.set(); ok {
		k.Validate(bad)
	}
	return all
}

func TestChangesSayWhatTheyDo(t *testing.T) {
	for want, s := range specs() {
		if p := problems(s); len(p) > 0 {
			t.Errorf("%s: %q", want, p)
		}
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if o := s.Object(); o.Name == "" || !strings.Contains(want, o.String()) {
			t.Errorf("%s is made to %s", want, o)
		}
	}
}

func TestChangesAreMade(t *testing.T) {
	var got []string
	for _, s := range specs() {
		c := &fakeCluster{}
		if err := s.Make(context.Background(), c); err != nil {
			t.Errorf("%s: %v", &s, err)
		}
		if len(c.log) != 1 {
			t.Errorf("%s did %q", &s, c.log)
			continue
		}
		got = append(got, c.log[0])
	}
	slices.Sort(got)
	for i, want := range []string{
		"restart gateway", "rollout gateway {Container: Env:map[] Command:[] Args:[] Image: Annotations:map[] Labels:map[app:a]}",
		"rollout gateway {Container:main Env:map[A:1 B:2] Command:[/bin/gateway] Args:[-x] Image:ordeal/gateway:2 Annotations:map[a:b] Labels:map[v:2]}",
		"rollout gateway-2 {", "scale gateway 0", "select gateway map[version:green]", "undo gateway",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("got %q, want %q as number %d", got, want, i)
		}
	}
}

func TestAChangeThatFailsSaysWhich(t *testing.T) {
	gone := errors.New("the API server is gone")
	for name, s := range specs() {
		if err := s.Make(context.Background(), &fakeCluster{fail: gone}); !errors.Is(err, gone) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Make(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "no cluster") {
			t.Errorf("%s without a cluster: %v", name, err)
		}
	}
	if err := (&Spec{}).Make(context.Background(), &fakeCluster{}); err == nil {
		t.Error("a change of no kind is made")
	}
}

func TestInvalidChanges(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{}, ": want exactly one kind"},
		{Spec{Undo: &Undo{Deployment: "a"}, Restart: &Restart{Deployment: "a"}}, ": want exactly one kind"},
		{Spec{Rollout: &Rollout{Deployment: "gateway"}}, ": want what changes"},
		{Spec{Rollout: &Rollout{Deployment: "Gateway", Image: "x"}}, `deployment: "Gateway" cannot name a deployment`},
		{Spec{Undo: &Undo{Deployment: "a/b"}}, `deployment: "a/b" cannot`},
		{Spec{Restart: &Restart{}}, `deployment: "" cannot`},
		{Spec{Switch: &Switch{Service: "-", Selector: map[string]string{"a": "b"}}}, `service: "-" cannot name a service`},
		{Spec{Switch: &Switch{Service: "gateway"}}, "selector: want the labels"},
		{Spec{Switch: &Switch{Service: "gateway", Selector: map[string]string{"version": ""}}}, "selector.version: want a value"},
		{Spec{Scale: &Scale{Deployment: "gateway", Replicas: -1}}, "replicas: want 0 to 1000"},
		{Spec{Scale: &Scale{Deployment: "gateway", Replicas: 1001}}, "replicas: want 0 to 1000"},
	} {
		if got := problems(c.spec); len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: got %q, want %q", &c.spec, got, c.want)
		}
	}
}

func TestEveryKindOfChangeIsDescribed(t *testing.T) {
	typ := reflect.TypeFor[Spec]()
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Tag.Get("doc") == "" || field.Tag.Get("yaml") == "" || field.Tag.Get("oneof") != "kind" {
			t.Errorf("%s is not described", field.Name)
		}
		for j := range field.Type.Elem().NumField() {
			attr := field.Type.Elem().Field(j)
			if attr.Tag.Get("doc") == "" || attr.Tag.Get("yaml") == "" {
				t.Errorf("%s.%s is not described", field.Name, attr.Name)
			}
		}
	}
}
