package telemetry

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ordeal/runner/evidence"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestAddressesOfMetrics(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"127.0.0.1:9090", ":0", "[::1]:0", "localhost:65535"} {
		if err := CheckAddr(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "9090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "::1:9090", "http://127.0.0.1:9090"} {
		err := CheckAddr(bad)
		if err == nil || !strings.Contains(err.Error(), "want host:port") {
			t.Errorf("%q: %v", bad, err)
		}
		if _, listened := Listen(t.Context(), bad, NewExporter(evidence.Build{})); listened == nil {
			t.Errorf("%q is listened on", bad)
		}
	}
}

func TestServerOwnsItsAddress(t *testing.T) {
	t.Parallel()
	exporter := NewExporter(evidence.Build{})
	server, err := Listen(t.Context(), "127.0.0.1:0", exporter)
	if err != nil {
		t.Fatal(err)
	}
	addr := server.listener.Addr().String()
	if want := "http://" + addr + "/metrics"; server.URL() != want || strings.HasSuffix(addr, ":0") {
		t.Errorf("%s is served at %s", addr, server.URL())
	}
	if _, err := Listen(t.Context(), addr, exporter); err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server at the same address: %v", err)
	}
	// A client that has connected and says nothing does not hold the end up.
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	scrape(t, server.URL())
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if _, err := bufio.NewReader(idle).ReadByte(); err == nil {
		t.Error("a connection outlives its server")
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the address is still listened on")
	}
}

func TestServerServesMetricsAlone(t *testing.T) {
	t.Parallel()
	server, _ := serve(t)
	for request, want := range map[string]int{
		"GET /metrics": http.StatusOK, "GET /": http.StatusNotFound, "GET /debug/pprof/": http.StatusNotFound, "POST /metrics": http.StatusMethodNotAllowed,
	} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(server.URL(), "/metrics")+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", request, res.Status, want)
		}
	}
}

func TestServerThatEndsByItselfSaysWhy(t *testing.T) {
	t.Parallel()
	server, err := Listen(t.Context(), "127.0.0.1:0", NewExporter(evidence.Build{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.listener.Close(); err != nil { // as when the system takes it away
		t.Fatal(err)
	}
	server.served <- <-server.served // it has noticed
	if err := server.Close(); err == nil || !strings.Contains(err.Error(), "serve metrics") {
		t.Errorf("a server whose listener was lost closes with %v", err)
	}
}
