package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ordeal/deploy/localkube/controlplane"
)

// webVerb makes the test binary the program of a Pod: an HTTP server that says its name and counts requests.
const webVerb = "test-web"

func web() {
	var served atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, os.Getenv("POD_NAME"))
	})
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total %d\n", served.Load())
	})
	go func() { panic(http.ListenAndServe(os.Getenv("POD_IP")+":8080", mux)) }()
	fmt.Println("serving as", os.Getenv("POD_NAME"))
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
}

// webObjects are a Deployment of web, its Service, and an autoscaler on the calls per second of each Pod.
const webObjects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080"}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: web
          image: test/web:v1
          env:
            - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1}
          resources: {requests: {cpu: 100m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 4
  metrics: [{type: Pods, pods: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: "5"}}}]
`

func TestPodsServeScaleRestartAndMove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	entry, err := json.Marshal([]string{os.Args[0], webVerb})
	if err != nil {
		t.Fatal(err)
	}
	up(t, dir, "--nodes", "2", "--downscale-stabilization", "2s", "--image", "test/web="+string(entry))
	objects := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(objects, []byte(webObjects), 0o600); err != nil {
		t.Fatal(err)
	}
	kube(t, dir, "apply", "-f", objects)
	kube(t, dir, "wait", "deployment/web", "--for=condition=Available", "--timeout=30s")
	host := kube(t, dir, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	call := func() (string, error) {
		resp, err := client.Get("http://" + host + "/")
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	replicas := func() string {
		return kube(t, dir, "get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}")
	}
	pods := func(path string) []string {
		return strings.Fields(kube(t, dir, "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*]"+path+"}"))
	}

	t.Run("service", func(t *testing.T) {
		eventually(t, "both Pods are ready", func() bool { return replicas() == "2" })
		names := pods(".metadata.name")
		seen := map[string]int{}
		for range 10 {
			eventually(t, "the Service answers", func() bool {
				name, err := call()
				if err == nil {
					seen[name]++
				}
				return err == nil
			})
		}
		if len(names) != 2 || seen[names[0]] < 3 || seen[names[1]] < 3 {
			t.Errorf("10 calls were answered by %v, want both of %v in turn", seen, names)
		}
		if log := kube(t, dir, "logs", names[0], "--tail=1"); strings.TrimSpace(log) != "serving as "+names[0] {
			t.Errorf("its log is %q", log)
		}
		nodes := pods(".spec.nodeName")
		if slices.Sort(nodes); !slices.Equal(nodes, []string{"localkube-1", "localkube-2"}) {
			t.Errorf("the Pods are on %v, want one on each", nodes)
		}
	})

	t.Run("autoscaler", func(t *testing.T) {
		eventually(t, "kubectl top shows every Pod", func() bool {
			stdout, _, code := command(t, "kubectl", "--dir", dir, "top", "pods", "--no-headers")
			return code == 0 && strings.Count(stdout, "web-") == 2
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				_, _ = call() // what fails is no load
				time.Sleep(10 * time.Millisecond)
			}
		}()
		eventually(t, "it scales up to its most", func() bool { return replicas() == "4" })
		stop()
		<-done
		eventually(t, "it scales down to its least", func() bool { return replicas() == "2" && len(pods(".metadata.name")) == 2 })
	})

	t.Run("restart", func(t *testing.T) {
		names, ids := pods(".metadata.name"), pods(".status.containerStatuses[0].containerID")
		pid := number(t, strings.TrimPrefix(ids[0], "localkube://"))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the container runs again", func() bool {
			state := kube(t, dir, "get", "pod", names[0], "-o", "jsonpath={.status.containerStatuses[0].restartCount} "+
				"{.status.containerStatuses[0].lastState.terminated.exitCode} {.status.containerStatuses[0].ready}")
			return state == "1 137 true"
		})
	})

	t.Run("drain", func(t *testing.T) {
		kube(t, dir, "drain", "localkube-1", "--timeout=30s")
		eventually(t, "both Pods are on the other node", func() bool {
			nodes := pods(".spec.nodeName")
			slices.Sort(nodes)
			return replicas() == "2" && slices.Equal(nodes, []string{"localkube-2", "localkube-2"})
		})
		kube(t, dir, "uncordon", "localkube-1")
	})

	t.Run("nobody", func(t *testing.T) {
		kube(t, dir, "delete", "hpa,deployment", "web")
		eventually(t, "the Service refuses", func() bool {
			_, err := call()
			return errors.Is(err, syscall.ECONNREFUSED)
		})
		eventually(t, "all Pods are gone", func() bool { return len(pods(".metadata.name")) == 0 })
	})
}

func TestLimitsOfCPUCanBeTurnedOff(t *testing.T) {
	p := up(t, filepath.Join(t.TempDir(), "kube"), "--cpu-limits=false")
	if said := kube(t, p.Dir, "get", "node", "localkube", "-o", `jsonpath={.metadata.annotations.localkube\.ordeal/cpu-limits}`); said != "not enforced: --cpu-limits=false" {
		t.Errorf("the Node says %q", said)
	}
	if state, err := controlplane.ReadState(p.Dir); err != nil || state.Groups != "" {
		t.Errorf("there are control groups at %q: %v", state.Groups, err)
	}
}
