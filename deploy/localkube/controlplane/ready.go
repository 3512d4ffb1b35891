package controlplane

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"ordeal/deploy/localkube/components"
)

// pollEvery is between two looks at something that is about to be there.
const pollEvery = 20 * time.Millisecond

// until looks until there is no error, or ctx ends: then it says why, and what was last found.
func until(ctx context.Context, what string, look func(context.Context) error) error {
	var last error
	for {
		err := look(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // not that it was interrupted
		}
		select {
		case <-ctx.Done():
			if last == nil {
				return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
			}
			return fmt.Errorf("wait for %s: %w (last: %w)", what, context.Cause(ctx), last)
		case <-time.After(pollEvery):
		}
	}
}

// etcdReady waits until etcd listens. What is asked of it before it has begun waits there.
func etcdReady(ctx context.Context, dir *os.File) error {
	// By the open directory: the path of a unix socket must be short, and a directory's need not be.
	at := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), components.EtcdSocket)
	return until(ctx, components.Etcd, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", at)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Client is a client of the API server, by its own address. Nothing slows its requests down.
func Client(dir string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, adminConfig))
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	return client, nil
}

// askWithin bounds one question to an API server that is about to be ready.
const askWithin = time.Second

// Answers is nil if the API server is ready.
func Answers(ctx context.Context, client kubernetes.Interface) error {
	return ask(ctx, client, "/readyz")
}

// ask is nil if the API server says that all is well at a path.
func ask(ctx context.Context, client kubernetes.Interface, path string) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if _, err := client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx); err != nil {
		return fmt.Errorf("ask the API server for %s: %w", path, err)
	}
	return nil
}

// controllersReady waits for what the controllers make for every namespace: without it, nothing can be created there.
func controllersReady(ctx context.Context, client kubernetes.Interface) error {
	return until(ctx, "the default service account", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// nodesReady waits until there are so many nodes, and all are ready.
func nodesReady(ctx context.Context, client kubernetes.Interface, want int) error {
	return until(ctx, "the nodes", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(nodes.Items) < want {
			return fmt.Errorf("%d of %d nodes are there", len(nodes.Items), want)
		}
		for _, n := range nodes.Items {
			if !IsReady(n) {
				return fmt.Errorf("node %s is not ready", n.Name)
			}
		}
		return nil
	})
}

// metricsReady waits until the API server passes on the metrics APIs.
func metricsReady(ctx context.Context, client kubernetes.Interface) error {
	return until(ctx, "the metrics APIs", func(ctx context.Context) error {
		for _, api := range []string{"metrics.k8s.io/v1beta1", "custom.metrics.k8s.io/v1beta2"} {
			if err := ask(ctx, client, "/apis/"+api); err != nil {
				return err
			}
		}
		return nil
	})
}

// IsReady reports whether a node is ready, and nothing keeps Pods away from it.
func IsReady(n corev1.Node) bool {
	ready := false
	for _, c := range n.Status.Conditions {
		ready = ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	for _, t := range n.Spec.Taints {
		ready = ready && t.Key != corev1.TaintNodeNotReady
	}
	return ready
}
