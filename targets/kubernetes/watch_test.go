package kubernetes

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// diary keeps what a watch tells.
type diary struct {
	mu   sync.Mutex
	told []string
}

func (d *diary) seen(s Seen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, s.Action+" "+s.Kind+" "+s.Object.GetName())
}

func (d *diary) await(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		told := slices.Clone(d.told)
		d.mu.Unlock()
		if slices.Contains(told, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not told %q, only %s", want, strings.Join(told, ", "))
		}
	}
}

func (d *diary) count(what string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, told := range d.told {
		if told == what {
			n++
		}
	}
	return n
}

func node(version string, beat int64, full core.ConditionStatus) *core.Node {
	return &core.Node{ObjectMeta: meta.ObjectMeta{Name: "n1", ResourceVersion: version}, Status: core.NodeStatus{Conditions: []core.NodeCondition{
		{Type: core.NodeDiskPressure, Status: full, LastHeartbeatTime: meta.Unix(beat, 0)}}}}
}

func TestObjectsAreWatched(t *testing.T) {
	c, api := open(t, coloured("blue"), blue("a", "127.1.0.1", false), node("1", 1, core.ConditionFalse))
	d := &diary{}
	stop, err := c.Watch(d.seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"found Pod a", "found Service gateway", "found Node n1"} {
		d.await(t, want)
	}
	awaitWatches(t, api, "nodes")
	ctx := patience(t)
	pods, nodes := api.CoreV1().Pods(namespace), api.CoreV1().Nodes()
	for _, err := range []error{
		func() error { _, err := pods.Create(ctx, blue("b", "", false), meta.CreateOptions{}); return err }(),
		func() error {
			_, err := pods.Update(ctx, blue("a", "127.1.0.1", true), meta.UpdateOptions{})
			return err
		}(),
		pods.Delete(ctx, "b", meta.DeleteOptions{}),
		func() error {
			_, err := nodes.Update(ctx, node("2", 2, core.ConditionFalse), meta.UpdateOptions{})
			return err
		}(),
		func() error {
			_, err := nodes.Update(ctx, node("3", 3, core.ConditionTrue), meta.UpdateOptions{})
			return err
		}(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"added Pod b", "changed Pod a", "deleted Pod b", "changed Node n1"} {
		d.await(t, want)
	}
	if n := d.count("changed Node n1"); n != 1 {
		t.Errorf("%d changes of the node: its heartbeat is none", n)
	}
	stop()
	if _, err := pods.Create(ctx, blue("late", "", false), meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	m := members(t, c, "http")
	m.eventually(t, "after the end of the watch", Member{"a", "127.1.0.1:8080"})
	if n := d.count("added Pod late"); n != 0 {
		t.Error("told after the end of the watch")
	}
}

func TestWhoWroteAnObjectIsNotKept(t *testing.T) {
	p := blue("a", "127.1.0.1", true)
	p.ManagedFields = []meta.ManagedFieldsEntry{{Manager: "kubectl"}}
	p.Annotations = map[string]string{lastApplied: "{}", "stays": "yes"}
	c, _ := open(t, coloured("blue"), p)
	pods, err := c.Pods("gateway")
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d Pods, %v", len(pods), err)
	}
	if pods[0].ManagedFields != nil || len(pods[0].Annotations) != 1 {
		t.Errorf("kept: %v, %v", pods[0].ManagedFields, pods[0].Annotations)
	}
}
