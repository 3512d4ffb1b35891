package runner

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/scenarios"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// inCluster is a system with one target, a Service of a fake cluster with two
// Pods, of which one is ready; with a link from the load generator if asked for.
func inCluster(t *testing.T, linked bool) (*system, *fake.Clientset, *journal) {
	t.Helper()
	svc := &core.Service{ObjectMeta: namedObject("gateway-svc"), Spec: core.ServiceSpec{
		Selector: map[string]string{"app": "gateway"}, Ports: []core.ServicePort{{Name: "http", Port: 8080}}}}
	ready, unready := gatewayPod("a", core.ConditionTrue), gatewayPod("b", core.ConditionFalse)
	ready.Status.PodIP, unready.Status.PodIP = "127.1.0.1", "127.1.0.2"
	api := fake.NewSimpleClientset(svc, ready, unready) // the newer one shares objects with watchers, and the cluster trims those
	cluster := follow(t, api)
	members, err := cluster.Members("gateway-svc", "http")
	if err != nil {
		t.Fatal(err)
	}
	spec := &targets.Spec{Name: "gateway", Service: "gateway-svc", Port: "http"}
	out := &journal{}
	s := &system{
		plan: &scenarios.Plan{Targets: []*targets.Spec{spec}}, cfg: targets.Config{Clock: evidence.NewClock(), Sink: out},
		cluster: cluster, order: []string{"gateway"}, services: map[string]*service{"gateway": {spec: spec, members: members}},
	}
	if linked {
		s.plan.Links = []scenarios.Link{{Name: "client->gateway", From: "client", To: "gateway"}}
	}
	t.Cleanup(func() {
		for _, links := range s.links {
			_ = links.Close(context.Background()) // nothing is on them
		}
	})
	return s, api, out
}

// become makes a Pod ready.
func become(t *testing.T, api *fake.Clientset, name, ip string) {
	t.Helper()
	pod := gatewayPod(name, core.ConditionTrue)
	pod.Status.PodIP = ip
	if _, err := api.CoreV1().Pods("ordeal").Update(context.Background(), pod, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestALoadFollowsThePodsOfAService(t *testing.T) {
	for _, linked := range []bool{false, true} {
		s, api, _ := inCluster(t, linked)
		w, err := s.reach(context.Background(), "client", "gateway")
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan []load.Member, 10)
		stop := w.members.Follow(func(now []load.Member) { told <- now })
		first := <-told
		if len(first) != 1 || first[0].Name != "a" || first[0].Addr != w.addrs[0] || linked == (first[0].Addr == "127.1.0.1:8080") {
			t.Errorf("linked %t: told of %v, and of %v before", linked, first, w.addrs)
		}
		become(t, api, "b", "127.1.0.2")
		both := <-told
		if len(both) != 2 || both[0] != first[0] || both[1].Name != "b" || linked == (both[1].Addr == "127.1.0.2:8080") {
			t.Errorf("linked %t: told of %v then", linked, both)
		}
		if linked {
			switch conn, err := net.Dial("tcp", both[1].Addr); {
			case err == nil:
				_ = conn.Close() // it was only to be made
			case !errors.Is(err, syscall.ECONNRESET): // no Pod is behind the link, which may tell it at once
				t.Errorf("the link has no port for the new Pod: %v", err)
			}
		}
		stop()
	}
}

func TestWhatIsSaidOfAService(t *testing.T) {
	s, _, out := inCluster(t, false)
	s.checkHealth(context.Background(), "before-load", s.cfg.Clock, out)
	if e := out.events[0]; !e.OK || e.Target != "gateway" || e.Text != "before-load: 1 of 2 Pods are ready" {
		t.Errorf("got %+v", e)
	}
	if m := s.metas(); len(m) != 1 || m[0].Kind != targets.KindService || m[0].Replicas != 1 || !slices.Equal(m[0].Addrs, []string{"127.1.0.1:8080"}) {
		t.Errorf("described as %+v", m)
	}
	for _, c := range []struct {
		seen kubernetes.Seen
		want string
	}{
		{kubernetes.Seen{Kind: "Pod", Object: gatewayPod("x", core.ConditionTrue)}, "gateway"},
		{kubernetes.Seen{Kind: "Pod", Object: &core.Pod{}}, ""},
		{kubernetes.Seen{Kind: "Service", Object: &core.Service{ObjectMeta: namedObject("gateway-svc")}}, "gateway"},
		{kubernetes.Seen{Kind: "Service", Object: &core.Service{ObjectMeta: namedObject("other")}}, ""},
		{kubernetes.Seen{Kind: "Node", Object: &core.Node{ObjectMeta: namedObject("gateway-svc")}}, ""},
	} {
		if got := s.targetOf(c.seen); got != c.want {
			t.Errorf("%s %s belongs to %q, want %q", c.seen.Kind, c.seen.Object.GetName(), got, c.want)
		}
	}
	if s.serviceOf("gateway") != "gateway-svc" || s.serviceOf("users") != "" {
		t.Error("the Service of a target is not found")
	}
}

func TestAServiceWithoutReadyPodsIsNotWell(t *testing.T) {
	s, api, out := inCluster(t, false)
	if err := api.CoreV1().Pods("ordeal").Delete(context.Background(), "a", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	members := s.services["gateway"].members
	for deadline := time.Now().Add(20 * time.Second); len(members.Now()) > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	s.checkHealth(context.Background(), "after-load", s.cfg.Clock, out)
	if e := out.events[0]; e.OK || !strings.Contains(e.Text, "after-load: 0 of 1 Pods are ready") {
		t.Errorf("got %+v", e)
	}
}

func TestLinksOfAControlPlaneAreThoseThatAreNamed(t *testing.T) {
	s, _, _ := inCluster(t, false)
	s.plan.Links = []scenarios.Link{{Name: kubernetes.MetricsLink, From: "kubernetes", To: "metrics"}}
	via, err := s.via(context.Background(), kubernetes.MetricsLink, "127.0.0.1:1")
	if err != nil || via == "" || s.link(kubernetes.MetricsLink) == nil {
		t.Errorf("got %q, %v", via, err)
	}
	if via, err := s.via(context.Background(), kubernetes.ControllersLink, "127.0.0.1:1"); err != nil || via != "" {
		t.Errorf("a link that nobody names: %q, %v", via, err)
	}
}
