package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

// networks are a network of loopback addresses for each test.
var networks atomic.Int32

// world is Services and Pods that are there in memory alone; what is behind the Pods' addresses is real.
type world struct {
	*testing.T
	client *fake.Clientset
	net    byte
	addr   string // of port 80 of Service web
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, client: fake.NewClientset(), net: byte(networks.Add(1))}
	w.addr = fmt.Sprintf("127.54.%d.240:80", w.net)
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"}, Spec: corev1.ServiceSpec{
		ClusterIP: fmt.Sprintf("127.54.%d.240", w.net), Selector: map[string]string{"app": "web"},
		Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080), Protocol: corev1.ProtocolTCP}}}}
	if _, err := w.client.CoreV1().Services("default").Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, Config{Subnet: netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 54, w.net, 0}), 24)}, w.client)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the proxy ended: %v", err)
		}
	})
	// An API server that is in memory alone has no versions, and tells nobody what changes after a list and before its watch.
	for _, resource := range []string{"services", "pods"} {
		w.eventually("the proxy watches "+resource, func() bool {
			return slices.ContainsFunc(w.client.Actions(), func(a clienttest.Action) bool { return a.Matches("watch", resource) })
		})
	}
	return w
}

// pod makes a Ready Pod of app, with a server that says its name and echoes; or nothing behind it.
func (w *world) pod(name, app string, last byte, serves bool) *corev1.Pod {
	w.Helper()
	ip := fmt.Sprintf("127.54.%d.%d", w.net, last)
	if serves {
		l, err := net.Listen("tcp4", ip+":8080")
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					_, _ = io.WriteString(c, name+"\n")
					_, _ = io.Copy(c, c)
				}()
			}
		}()
	}
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", Labels: map[string]string{"app": app}},
		Status: corev1.PodStatus{PodIP: ip, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	if _, err := w.client.CoreV1().Pods("default").Create(w.Context(), p, metav1.CreateOptions{}); err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) update(p *corev1.Pod) {
	w.Helper()
	if _, err := w.client.CoreV1().Pods("default").Update(w.Context(), p, metav1.UpdateOptions{}); err != nil {
		w.Fatal(err)
	}
}

// ask connects, says hello, ends its side, and gives all that comes.
func (w *world) ask() (string, error) {
	c, err := net.DialTimeout("tcp4", w.addr, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // of an open connection: no error
	if _, err := io.WriteString(c, "hello"); err != nil {
		return "", err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	text, err := io.ReadAll(c)
	return string(text), err
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("not within 20s: %s", what)
		}
	}
}

func (w *world) refused() bool {
	_, err := w.ask()
	return errors.Is(err, syscall.ECONNREFUSED)
}

func TestConnectionsGoToReadyPodsInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.eventually("without a Pod it refuses", w.refused)
	one := w.pod("one", "web", 1, true)
	w.pod("two", "web", 2, true)
	w.pod("other", "other", 3, true)
	count := func() map[string]int {
		seen := map[string]int{}
		for range 6 {
			text, err := w.ask()
			if err != nil {
				text = err.Error()
			}
			seen[text]++
		}
		return seen
	}
	w.eventually("both are called in turn, and the echo of each is whole", func() bool {
		seen := count()
		return seen["one\nhello"] == 3 && seen["two\nhello"] == 3
	})

	held, err := net.Dial("tcp4", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	name := make([]byte, 4)
	if _, err := io.ReadFull(held, name); err != nil {
		t.Fatal(err)
	}
	one.Status.Conditions[0].Status = corev1.ConditionFalse
	w.update(one)
	w.eventually("one that is not ready gets no connections", func() bool { return count()["two\nhello"] == 6 })
	s, err := w.client.CoreV1().Services("default").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Spec.Selector = map[string]string{"app": "other"}
	if _, err := w.client.CoreV1().Services("default").Update(t.Context(), s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("another selector leads to other Pods", func() bool { return count()["other\nhello"] == 6 })
	if _, err := io.WriteString(held, "still"); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, 5)
	if _, err := io.ReadFull(held, back); err != nil || string(back) != "still" {
		t.Errorf("a connection that was open gets %q: %v", back, err)
	}
	if err := w.client.CoreV1().Services("default").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("a Service that is gone refuses", w.refused)
}

func TestAPodThatDoesNotServeIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod("liar", "web", 1, false)
	w.pod("good", "web", 2, true)
	reset, good := false, false
	w.eventually("some connections are reset, and some served", func() bool {
		text, err := w.ask()
		reset = reset || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
		good = good || text == "good\nhello"
		return reset && good
	})
}
