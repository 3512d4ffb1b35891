package kubernetes

import (
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// coloured is a Service that selects Pods by a colour; its port http leads to the Pods' port of that
// name, admin to a number, and plain to its own.
func coloured(colour string) *core.Service {
	return &core.Service{ObjectMeta: named("gateway", nil), Spec: core.ServiceSpec{
		Selector: map[string]string{"colour": colour},
		Ports: []core.ServicePort{
			{Name: "http", Port: 80, TargetPort: intstr.FromString("http")},
			{Name: "admin", Port: 81, TargetPort: intstr.FromInt32(9090)},
			{Name: "plain", Port: 82},
		},
	}}
}

func blue(name, ip string, ready bool) *core.Pod {
	return pod(name, ip, ready, map[string]string{"colour": "blue"})
}

// eventually waits until the members are those wanted.
func (m *Members) eventually(t *testing.T, what string, want ...Member) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !slices.Equal(m.Now(), want) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: the members are %v, want %v", what, m.Now(), want)
		}
		time.Sleep(time.Millisecond)
	}
}

func members(t *testing.T, c *Cluster, port string) *Members {
	t.Helper()
	m, err := c.Members("gateway", port)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMembersAreTheReadyPodsOfTheSelector(t *testing.T) {
	ending := blue("d", "127.1.0.4", true)
	now := meta.Now()
	ending.DeletionTimestamp, ending.Finalizers = &now, []string{"test/kept"}
	c, _ := open(t, coloured("blue"), blue("b", "127.1.0.2", true), blue("a", "127.1.0.1", true), blue("c", "127.1.0.3", false), ending,
		blue("e", "", true), pod("f", "127.1.0.6", true, map[string]string{"colour": "green"}))
	for port, want := range map[string]string{"": "8080", "http": "8080", "80": "8080", "admin": "9090", "plain": "82", "82": "82"} {
		got := members(t, c, port).Now()
		if !slices.Equal(got, []Member{{"a", "127.1.0.1:" + want}, {"b", "127.1.0.2:" + want}}) {
			t.Errorf("port %q: %v", port, got)
		}
	}
	if _, err := c.Members("gateway", "grpc"); err == nil {
		t.Error("a port that is not there is found")
	}
	if _, err := c.Members("nobody", ""); err == nil {
		t.Error("a Service that is not there is found")
	}
}

func TestMembersAreFollowed(t *testing.T) {
	c, api := open(t, coloured("blue"), blue("a", "127.1.0.1", true))
	m := members(t, c, "http")
	a, b := Member{"a", "127.1.0.1:8080"}, Member{"b", "127.1.0.2:8080"}
	m.eventually(t, "at first", a)
	pods := api.CoreV1().Pods(namespace)
	ctx := patience(t)

	if _, err := pods.Create(ctx, blue("b", "127.1.0.2", false), meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := pods.Update(ctx, blue("b", "127.1.0.2", true), meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	m.eventually(t, "after a Pod became ready", a, b)
	if _, err := pods.Update(ctx, blue("a", "127.1.0.1", false), meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	m.eventually(t, "after a Pod became unready", b)
	if err := c.DeletePod(ctx, "b", nil); err != nil {
		t.Fatal(err)
	}
	m.eventually(t, "after the last was deleted")
}

func TestMembersFollowTheSelector(t *testing.T) {
	c, _ := open(t, coloured("blue"), blue("a", "127.1.0.1", true), pod("g", "127.1.0.7", true, map[string]string{"colour": "green"}))
	m := members(t, c, "http")
	changes := make(chan []Member, 10)
	stop := m.Follow(func(now []Member) { changes <- now })
	if first := <-changes; len(first) != 1 || first[0].Pod != "a" {
		t.Errorf("told of %v at first", first)
	}
	before, err := c.Select(patience(t), "gateway", map[string]string{"colour": "green"})
	if err != nil || before["colour"] != "blue" {
		t.Fatalf("the selector before is %v, and %v", before, err)
	}
	if then := <-changes; len(then) != 1 || then[0].Pod != "g" {
		t.Errorf("told of %v then", then)
	}
	stop()
	if _, err := c.Select(patience(t), "gateway", map[string]string{"colour": "blue"}); err != nil {
		t.Fatal(err)
	}
	m.eventually(t, "after the switch back", Member{"a", "127.1.0.1:8080"})
	if len(changes) > 0 {
		t.Error("told after the stop")
	}
}
