package deploy

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ordeal/targets/gateway"
	"ordeal/targets/users"
)

// exported are the labels of each metric that the reference services export, after one call to the gateway, with
// those that Prometheus adds in Kubernetes.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	var cfg gateway.Config
	if err := gateway.NewFlagSet(&cfg).Parse([]string{"--users=127.0.0.1:1", "--access-log=off"}); err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	g.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/users/42", nil))
	page := httptest.NewRecorder()
	g.AdminHandler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))

	var u users.Config
	users.NewFlagSet(&u)
	u.Addr, u.Admin = "127.0.0.1:0", "127.0.0.1:0"
	server, err := users.New(u)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	<-server.Ready()
	defer func() { server.Stop(); <-served }()
	resp, err := http.Get("http://" + server.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()

	metrics := map[string][]string{}
	for _, text := range []io.Reader{page.Body, resp.Body} {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(text)
		if err != nil {
			t.Fatal(err)
		}
		for name, family := range families {
			labels := []string{"namespace", "pod"}
			for _, pair := range family.GetMetric()[0].GetLabel() {
				labels = append(labels, pair.GetName())
			}
			if family.GetType() == dto.MetricType_HISTOGRAM {
				name, labels = name+"_bucket", append(labels, "le")
			}
			metrics[name] = labels
		}
	}
	return metrics
}

var (
	selected = regexp.MustCompile(`([a-z_]+)(\{[^}]*\})?\[|([a-z_]+)\{([^}]*)\}`)
	matched  = regexp.MustCompile(`([a-z_]+)(?:=~|!=|=)"`)
	grouped  = regexp.MustCompile(`by \(([^)]*)\)`)
)

// unknown lists what a PromQL expression asks for and nobody exports: metrics, and labels of the metrics it names.
func unknown(expr string, metrics map[string][]string) (bad []string) {
	known := []string{"class"} // made by label_replace
	found := selected.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		bad = append(bad, "no metric at all")
	}
	for _, m := range found {
		name, matchers := m[1]+m[3], m[2]+m[4]
		labels, there := metrics[name]
		if !there {
			bad = append(bad, "metric "+name)
		}
		known = append(known, labels...)
		for _, l := range matched.FindAllStringSubmatch(matchers, -1) {
			if !slices.Contains(labels, l[1]) {
				bad = append(bad, "label "+l[1]+" of "+name)
			}
		}
	}
	for _, by := range grouped.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(by[1], ",") {
			if l = strings.TrimSpace(l); !slices.Contains(known, l) {
				bad = append(bad, "label "+l)
			}
		}
	}
	return bad
}

// dashboardQueries are the expressions of the dashboard by the title of their panel, variables replaced.
func dashboardQueries(t *testing.T) map[string][]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(text(t, "deploy", "kubernetes", "components", "monitoring", "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := map[string][]string{}
	for _, p := range dashboard.Panels {
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 {
			t.Errorf("panel %s shows nothing", p.Title)
		}
		for _, q := range p.Targets {
			expr := strings.NewReplacer("$namespace", "ordeal", "$__rate_interval", "20s").Replace(q.Expr)
			queries[p.Title] = append(queries[p.Title], expr)
		}
	}
	return queries
}

func TestDashboardAsksForWhatIsExported(t *testing.T) {
	metrics, queries := exported(t), dashboardQueries(t)
	if len(queries) < 10 {
		t.Errorf("only %d panels", len(queries))
	}
	for title, list := range queries {
		for _, expr := range list {
			for _, bad := range unknown(expr, metrics) {
				t.Errorf("%s: nobody exports %s: %s", title, bad, expr)
			}
		}
	}
	for expr, want := range map[string]string{
		`rate(http_request_total{namespace="a"}[1m])`: "metric http_request_total",
		`rate(http_requests_total{status="200"}[1m])`: "label status of http_requests_total",
		`sum by (grpc_code) (breaker_state{pod="a"})`: "label grpc_code",
		`1`: "no metric at all",
	} {
		if bad := unknown(expr, metrics); !slices.Contains(bad, want) {
			t.Errorf("%s: %q, want %q among them", expr, bad, want)
		}
	}
}

// The adapter makes http_requests_per_second, which the manifests scale on, of a counter that there is.
func TestAdapterServesTheMetricThatIsScaledOn(t *testing.T) {
	values := text(t, "deploy", "prometheus", "adapter-values.yaml")
	series := regexp.MustCompile(`seriesQuery: ([a-z_]+)\{`).FindStringSubmatch(values)
	rename := regexp.MustCompile(`matches: (\S+)\n\s+as: (\S+)`).FindStringSubmatch(values)
	if series == nil || rename == nil {
		t.Fatalf("no rule in\n%s", values)
	}
	if _, there := exported(t)[series[1]]; !there {
		t.Errorf("nobody exports %s", series[1])
	}
	serves := regexp.MustCompile(rename[1]).ReplaceAllString(series[1], rename[2])
	if want := "metric: {name: " + serves + "}"; !strings.Contains(text(t, "deploy", "kubernetes", "components", "hpa-custom", "hpa.yaml"), want) {
		t.Errorf("the adapter serves %s, and the autoscaler asks for another", serves)
	}
}

func TestRulesAskForWhatIsExported(t *testing.T) {
	metrics := exported(t)
	rules := text(t, "deploy", "prometheus", "rules.yml")
	for _, bad := range unknown(rules, metrics) {
		t.Errorf("nobody exports %s", bad)
	}
}

// Prometheus itself reads the configuration, the rules and every expression of the dashboard, where it is installed.
func TestPrometheusReadsThem(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	if out, err := exec.Command(promtool, "check", "config", filepath.Join(root, "deploy", "prometheus", "prometheus.yml")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, list := range dashboardQueries(t) {
		for _, expr := range list {
			rules = append(rules, rule{"dashboard:query", expr})
		}
	}
	check := func(rules []rule) ([]byte, error) {
		b, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "rules.yml") // JSON is YAML
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return exec.Command(promtool, "check", "rules", "--lint=none", file).CombinedOutput()
	}
	if out, err := check(rules); err != nil {
		t.Errorf("the dashboard: %v\n%s", err, out)
	}
	if out, err := check([]rule{{"broken", "sum(rate(http_requests_total))"}}); err == nil {
		t.Errorf("a wrong expression is read:\n%s", out)
	}
}
