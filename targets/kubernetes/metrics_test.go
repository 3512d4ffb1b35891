package kubernetes

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// serving makes a cluster of an API server that answers some paths.
func serving(t *testing.T, answers map[string]string) *Cluster {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if !ok {
			http.Error(w, "the server is currently unable to handle the request", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(srv.Close)
	c := &Cluster{namespace: namespace}
	if err := c.use(&rest.Config{Host: srv.URL}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestUsageOfPods(t *testing.T) {
	c := serving(t, map[string]string{
		"/apis/metrics.k8s.io/v1beta1/namespaces/ordeal/pods": `{"items":[{"metadata":{"name":"a"},"timestamp":"2026-01-02T03:04:05Z","containers":[
			{"name":"x","usage":{"cpu":"150m","memory":"1Ki"}},{"name":"y","usage":{"cpu":"1","memory":"1Ki"}}]}]}`,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/ordeal/pods/*/rps": `{"items":[{"describedObject":{"name":"a"},"metric":{"name":"rps"},"value":"2500m"}]}`,
	})
	usage, err := c.Usage(patience(t))
	if err != nil || len(usage) != 1 {
		t.Fatalf("%v, %v", usage, err)
	}
	if u := usage[0]; u.Pod != "a" || u.Cores != 1.15 || u.Memory != 2048 || !u.At.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("got %+v", u)
	}
	values, err := c.Values(patience(t), "rps")
	if err != nil || len(values) != 1 || values[0] != (PodValue{"a", 2.5}) {
		t.Errorf("got %v, %v", values, err)
	}
	if _, err := c.Values(patience(t), "none"); err == nil {
		t.Error("an API that does not answer gives no error")
	}
}

func TestPodsSayWhereTheirMetricsAre(t *testing.T) {
	told := blue("a", "127.1.0.1", false)
	told.Annotations = map[string]string{scrapeNote: "true", portNote: "8081"}
	elsewhere := blue("b", "127.1.0.2", true)
	elsewhere.Annotations = map[string]string{scrapeNote: "true", portNote: "1", pathNote: "/m", schemeNote: "https"}
	off := blue("c", "127.1.0.3", true)
	off.Annotations = map[string]string{scrapeNote: "false", portNote: "1"}
	c, _ := open(t, coloured("blue"), told, elsewhere, off, blue("d", "127.1.0.4", true))
	want := map[string]string{"a": "http://127.1.0.1:8081/metrics", "b": "https://127.1.0.2:1/m"}
	if got := c.MetricsURLs("gateway"); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := c.MetricsURLs("nobody"); len(got) > 0 {
		t.Errorf("got %v of a Service that is not there", got)
	}
}
