package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// monitorKind is as much of a kind of the Prometheus operator as its API server needs: the fields that our objects
// have, so that another one is refused here as there.
const monitorKind = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ServiceMonitor, listKind: ServiceMonitorList, plural: servicemonitors, singular: servicemonitor}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              required: [selector, endpoints]
              properties:
                selector:
                  type: object
                  properties:
                    matchLabels: {type: object, additionalProperties: {type: string}}
                endpoints:
                  type: array
                  items:
                    type: object
                    properties:
                      port: {type: string}
                      path: {type: string}
                      interval: {type: string, pattern: "^[0-9]+s$"}
                      scrapeTimeout: {type: string, pattern: "^[0-9]+s$"}
`

// The API server takes every overlay without a word: no field that it does not know, no Pod that asks for more than
// the namespace allows. It is asked without doing it.
func TestManifestsAreAccepted(t *testing.T) {
	const manifests = "../kubernetes"
	dir := filepath.Join(t.TempDir(), "kube")
	up(t, dir)
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "objects.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	kubectl := func(args ...string) (stdout, stderr string, ok bool) {
		stdout, stderr, code := command(t, append([]string{"kubectl", "--dir", dir}, args...)...)
		return stdout, stderr, code == 0
	}
	dryRun := func(args ...string) (stdout, stderr string, ok bool) {
		return kubectl(append([]string{"apply", "--dry-run=server", "--validate=strict"}, args...)...)
	}
	for _, args := range [][]string{
		{"apply", "-f", filepath.Join(manifests, "base/shared/namespace.yaml"), "-f", file(monitorKind)},
		{"wait", "--for=condition=Established", "--timeout=30s", "crd/servicemonitors.monitoring.coreos.com"},
	} {
		if _, stderr, ok := kubectl(args...); !ok {
			t.Fatalf("%q: %s", args, stderr)
		}
	}

	var overlays []string
	for _, depth := range []string{"*", "*/*"} {
		list, err := filepath.Glob(filepath.Join(manifests, "overlays", depth, "kustomization.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		overlays = append(overlays, list...)
	}
	if len(overlays) < 12 {
		t.Fatalf("only %d overlays: %q", len(overlays), overlays)
	}
	for _, overlay := range overlays {
		stdout, stderr, ok := dryRun("-k", filepath.Dir(overlay))
		if !ok || stderr != "" || strings.Count(stdout, "(server dry run)\n") < 15 {
			t.Errorf("%s:\n%s%s", overlay, stdout, stderr)
		}
	}

	sound, stderr, ok := kubectl("kustomize", filepath.Join(manifests, "overlays/cluster-monitored"))
	if !ok {
		t.Fatal(stderr)
	}
	for _, broken := range []struct{ from, to, want string }{
		{"periodSeconds:", "periodSecond:", `unknown field "spec.template.spec.containers[0].livenessProbe.periodSecond"`},
		{"scrapeTimeout: 4s", "scrapeTimeouts: 4s", `unknown field "spec.endpoints[0].scrapeTimeouts"`},
		{"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", `would violate PodSecurity "restricted`},
		{"averageUtilization: 50", "averageUtilization: 0", "must be greater than 0"},
		{"maxReplicas: 10", "maxReplicas: 1", "must be greater than or equal to `minReplicas`"},
	} {
		text := strings.Replace(sound, broken.from, broken.to, 1)
		if text == sound {
			t.Errorf("there is no %q", broken.from)
		}
		if _, stderr, _ := dryRun("-f", file(text)); !strings.Contains(stderr, broken.want) {
			t.Errorf("%q for %q: want %q, not %q", broken.to, broken.from, broken.want, stderr)
		}
	}
}
