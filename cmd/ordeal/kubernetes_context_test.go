package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const contextScenario = `
ordeal: v1
name: elsewhere
kubernetes: {context: localkube, apply: ["shipped:overlays/local"]}
targets:
  gateway: {service: gateway}
load:
  browse: {http: {target: gateway, get: /api/v1/users/42}, rate: 20/s}
timeline:
  - {phase: steady, for: 2s}
expect:
  - errors: {load: browse, during: steady, count: "= 0"}
`

// What is wrong with it is that "replcas" is none of its fields, or, without that
// line, that no program stands for its image.
const wrongManifests = `
apiVersion: v1
kind: ConfigMap
metadata: {name: there}
data: {a: applied}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fresh}
---
apiVersion: v1
kind: Service
metadata: {name: gateway}
spec: {selector: {app: x}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
spec:
  replcas: 2
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec: {containers: [{name: x, image: nobody/knows}]}
`

// wrong runs what cannot run, in namespace default, and wants it to be said why.
func wrong(t *testing.T, program, kubeconfig, manifests string, says ...string) {
	t.Helper()
	dir := t.TempDir()
	scenario := strings.Replace(contextScenario, `"shipped:overlays/local"]`, "wrong.yaml], namespace: default, within: 3s", 1)
	for name, text := range map[string]string{"wrong.yaml": manifests, "scenario.yaml": scenario} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := command(t, program, "run", "-q", "--out", filepath.Join(dir, "runs"), filepath.Join(dir, "scenario.yaml"),
		"--allow-context", "localkube", "--kubeconfig", kubeconfig)
	if err == nil {
		t.Errorf("it ran:\n%s", out)
	}
	for _, want := range says {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q, but\n%s", want, out)
		}
	}
}

// TestAContextIsLeftAsItWas runs on a control plane that is there already: what
// was there before stays, and what was applied goes, also where a run fails.
func TestAContextIsLeftAsItWas(t *testing.T) {
	program := localkube(t)
	kubeconfig := up(t, program)
	run := runOn(t, program, contextScenario, "--allow-context", "localkube", "--kubeconfig", kubeconfig)
	if c := run.Meta.Cluster; c == nil || c.Kind != "context" || c.Context != "localkube" || c.Settings != nil {
		t.Errorf("the cluster is %+v", c)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	goes(t, "the namespace", func() error {
		_, err := api.CoreV1().Namespaces().Get(t.Context(), "ordeal", meta.GetOptions{})
		return err
	})
	there := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "there"}, Data: map[string]string{"a": "before"}}
	configs := api.CoreV1().ConfigMaps("default")
	if _, err := configs.Create(t.Context(), there, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	wrong(t, program, kubeconfig, wrongManifests, "apply Deployment x", ".spec.replcas: field not declared")
	wrong(t, program, kubeconfig, strings.Replace(wrongManifests, "  replcas: 2\n", "", 1),
		"not available within 3s: Deployments x", "Deployment x: 0 of 1 Pods are available", "last event", "nobody/knows")
	goes(t, "the Deployment", func() error {
		_, err := api.AppsV1().Deployments("default").Get(t.Context(), "x", meta.GetOptions{})
		return err
	})
	goes(t, "the fresh ConfigMap", func() error { _, err := configs.Get(t.Context(), "fresh", meta.GetOptions{}); return err })
	if _, err := configs.Get(t.Context(), "there", meta.GetOptions{}); err != nil {
		t.Errorf("the ConfigMap that was there: %v", err)
	}
}

// goes waits until something is not found.
func goes(t *testing.T, what string, get func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := get()
		if apierrors.IsNotFound(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there, and %v", what, err)
		}
	}
}

// up starts a control plane until the test ends, and gives its kubeconfig file.
func up(t *testing.T, program string) string {
	t.Helper()
	image := func(service string) string {
		text, err := json.Marshal([]string{ordeal(t), "target", service})
		if err != nil {
			t.Fatal(err)
		}
		return "ordeal/" + service + "=" + string(text)
	}
	cmd := exec.Command(program, "up", "--foreground", "--until-stdin-closes", "--dir", filepath.Join(t.TempDir(), "kube"),
		"--image", image("gateway"), "--image", image("users"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // it ends then
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			t.Errorf("localkube: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Kubeconfig string `json:"kubeconfig"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	return ready.Kubeconfig
}
