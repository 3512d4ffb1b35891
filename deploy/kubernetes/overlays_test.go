package kubernetes

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestOverlaysHoldTogether(t *testing.T) {
	for _, overlay := range Overlays() {
		for _, c := range complaints(build(t, overlay)) {
			t.Errorf("%s: %s", overlay, c)
		}
	}
}

// Each slip is one that the API server would accept, or that a person would make: all are found.
func TestSlipsAreFound(t *testing.T) {
	for _, slip := range []struct{ overlay, from, to, want string }{
		{"local", "targetPort: http", "targetPort: htpp", "port 8080 goes to"},
		{"local", "port: 8081\n    targetPort: admin", "port: 8081\n    targetPort: http", "port 8081 goes to"},
		{"local", "  selector:\n    app.kubernetes.io/name: gateway\n---", "  selector:\n    app: gateway\n---", "Service gateway selects the Pods of 0"},
		{"local", "maxSurge: 1", "maxSurge: 25%", "rolling update"},
		{"local", "path: /livez", "path: /healthz", "liveness probe asks /healthz"},
		{"local", "path: /readyz", "path: /health", "probe asks /health"},
		{"local", "grpc:\n            port: 9000", "grpc:\n            port: 9001", "probe calls port 9001"},
		{"local", "image: ordeal/gateway:devel", "image: ordeal/gateway:latest", "image"},
		{"local", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may more than it needs"},
		{"local", "runAsUser: 65532", "runAsUser: 0", "may more than it needs"},
		{"local", "GATEWAY_WARM_UP:", "GATEWAY_WARMUP:", "GATEWAY_WARMUP is no setting"},
		{"local", "GATEWAY_WARM_UP: 500ms", `GATEWAY_WARM_UP: "500"`, "GATEWAY_WARM_UP="},
		{"local", "USERS_MAX_CONNECTION_AGE: 5s", "USERS_MAX_CONNECTION_AGE: soon", "USERS_MAX_CONNECTION_AGE="},
		{"local", "- name: GATEWAY_VERSION", "- name: VERSION", "nobody reads VERSION"},
		{"local", "$(POD_IP):8080", "$(IP):8080", "names a variable that is not there"},
		{"local", "$(USERS_SERVICE_HOST)", "$(USER_SERVICE_HOST)", "names a variable that is not there"},
		{"local", "$(POD_IP):8080", "$(POD_IP):8088", "nobody listens on port http"},
		{"local", "key: JWT_KEY", "key: KEY", "JWT_KEY is not in Secret"},
		{"local", "serviceAccountName: users", "serviceAccountName: user", "no ServiceAccount"},
		{"local", "terminationGracePeriodSeconds: 10", "terminationGracePeriodSeconds: 7", "Kubernetes kills after 7s"},
		{"local", `prometheus.io/port: "8081"`, `prometheus.io/port: "8080"`, "do not lead to /metrics"},
		{"local", "  maxUnavailable: 1\n  selector", "  minAvailable: 3\n  selector", "does not say how many"},
		{"local", "ingress:\n  - ports:\n    - port: http", "ingress:\n  - ports:\n    - port: web", "lets calls in to port web"},
		{"local", "egress:\n  - ports:\n    - port: grpc", "egress:\n  - ports:\n    - port: http", "lets calls out to port http"},
		{"local", "podSelector: {}", "podSelector: {matchLabels: {a: b}}", "no NetworkPolicy denies"},
		{"local", "kind: PodDisruptionBudget\nmetadata:\n  name: gateway\n  namespace: ordeal", "kind: PodDisruptionBudget\nmetadata:\n  name: gateway\n  namespace: default", `in namespace "default"`},
		{"local-hpa-cpu", "kind: Deployment\n    name: gateway", "kind: Deployment\n    name: gatway", "which is not there"},
		{"local-hpa-cpu", "replicas: 2\n  revisionHistoryLimit: 5\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: gateway", "replicas: 3\n  revisionHistoryLimit: 5\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: gateway", "which the autoscaler undoes"},
		{"local-hpa-cpu", "cpu: 100m", "ephemeral-storage: 1Gi", "requests no cpu"},
		{"local-hpa-cpu", "maxReplicas: 10", "maxReplicas: 1", "2 to 1 replicas"},
		{"local-hpa-custom", "name: http_requests_per_second", "name: http_requests_total", "there is no metric"},
		{"local-blue-green", "    version: blue\n---", "    version: blu\n---", "selects the Pods of 0"},
		{"local-blue-green", "    app.kubernetes.io/name: gateway\n    version: blue\n---", "    app.kubernetes.io/name: gateway\n---", "selects the Pods of 2"},
		{"local-blue-green", "      version: green", "      version: blue", "does not select its own Pods"},
		{"cluster-monitored", "port: admin\n    scrapeTimeout", "port: metrics\n    scrapeTimeout", "ServiceMonitor ordeal"},
	} {
		text, err := Build("overlays/" + slip.overlay)
		if err != nil {
			t.Fatal(err)
		}
		broken := bytes.Replace(text, []byte(slip.from), []byte(slip.to), 1)
		if bytes.Equal(broken, text) {
			t.Errorf("%s has no %q", slip.overlay, slip.from)
			continue
		}
		o, err := decode(broken)
		if err != nil {
			t.Errorf("%q: %v", slip.to, err)
			continue
		}
		if said := strings.Join(complaints(o), "\n"); !strings.Contains(said, slip.want) {
			t.Errorf("%s with %q for %q: want a complaint with %q, not:\n%s", slip.overlay, slip.to, slip.from, slip.want, said)
		}
	}
}

func TestFieldsAreReadStrictly(t *testing.T) {
	text, err := Build("overlays/local")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(bytes.Replace(text, []byte("periodSeconds:"), []byte("periodSecond:"), 1)); err == nil || !strings.Contains(err.Error(), "periodSecond") {
		t.Errorf("a field that a probe does not have: %v", err)
	}
}

// Only what needs the Prometheus operator says so by its name.
func TestForeignKindsAreWhereTheyCanBe(t *testing.T) {
	for _, overlay := range Overlays() {
		want := 0
		if overlay == "overlays/cluster-monitored" || overlay == "overlays/cluster-hpa-custom" {
			want = 1
		}
		if got := len(build(t, overlay).foreign); got != want {
			t.Errorf("%s: %d objects of kinds that Kubernetes does not have, want %d", overlay, got, want)
		}
	}
}

// No key is in a manifest for a cluster.
func TestClusterOverlaysHoldNoSecret(t *testing.T) {
	for _, overlay := range Overlays() {
		o := build(t, overlay)
		if cluster := strings.HasPrefix(overlay, "overlays/cluster"); cluster != (len(o.secrets) == 0) {
			t.Errorf("%s has %s", overlay, fmt.Sprint(len(o.secrets), " secrets"))
		}
	}
}

func TestOverlaysAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, overlay := range Overlays() {
		if row := "\n| `" + strings.TrimPrefix(overlay, "overlays/") + "` | "; !bytes.Contains(page, []byte(row)) {
			t.Errorf("docs/kubernetes.md has no row that begins with %q", row)
		}
	}
}
