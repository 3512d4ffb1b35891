package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"ordeal/runner/evidence"
)

// harness is the command, running a scenario and serving metrics.
type harness struct {
	url    string // of its metrics
	dir    string // where its run directory is
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	ended  sync.WaitGroup
}

// startHarness runs a scenario with metrics at a port of the command's choice.
func startHarness(t *testing.T, scenario string) *harness {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program, file := filepath.Join(dir, "ordeal"), filepath.Join(dir, "scenario.yaml")
	// The test binary is the command where it goes by its name: see TestMain.
	if err := os.Link(self, program); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	h := &harness{dir: filepath.Join(dir, "runs"), stderr: &bytes.Buffer{}}
	h.cmd = exec.Command(program, "run", "-q", "--out", h.dir, "--metrics-addr", "127.0.0.1:0", file)
	out, err := h.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	h.ended.Go(func() { _, _ = io.Copy(h.stderr, lines) })
	t.Cleanup(func() { h.interrupt(t) })
	url, ok := strings.CutPrefix(strings.TrimSpace(first), "metrics at ")
	if !ok {
		t.Fatalf("the first line is %q (%v), want where metrics are", first, err)
	}
	h.url = url
	return h
}

// interrupt ends the run and gives its exit code.
func (h *harness) interrupt(t *testing.T) int {
	t.Helper()
	if h.cmd.ProcessState == nil {
		if err := h.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		stuck := time.AfterFunc(time.Minute, func() { _ = h.cmd.Process.Kill() })
		defer stuck.Stop()
		h.ended.Wait()
		_ = h.cmd.Wait() // the exit code says it
	}
	return h.cmd.ProcessState.ExitCode()
}

// evidence opens what the run left behind.
func (h *harness) evidence(t *testing.T) *evidence.Run {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(h.dir, "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("run directories %v, %v", dirs, err)
	}
	r, err := evidence.Open(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// scrapeNative gives what a scraper that knows native histograms gets.
func scrapeNative(url string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	families := make(map[string]*dto.MetricFamily)
	decoder := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header))
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			return families, nil
		} else if err != nil {
			return nil, err
		}
		families[f.GetName()] = &f
	}
}

// eventually waits until try has no complaint.
func eventually(t *testing.T, within time.Duration, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%v later: %v", within, err)
}

// twoSpeeds answers quickly, but for each twentieth request.
func twoSpeeds(t *testing.T) *httptest.Server {
	var mu sync.Mutex
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		n++
		slow := n%20 == 0
		mu.Unlock()
		if slow {
			time.Sleep(150 * time.Millisecond)
		}
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(s.Close)
	return s
}

// The last scrape of a run whose load has ended counts what its evidence counts.
func TestMetricsOfARunAreThoseOfItsEvidence(t *testing.T) {
	t.Parallel()
	h := startHarness(t, fmt.Sprintf(`
ordeal: v1
name: watched
targets: {shop: {external: %q}}
load: {browse: {http: {target: shop, get: /}, rate: 200/s}}
timeline:
  - {phase: steady, for: 1s}
  - {phase: quiet, for: 10m, load: {browse: 0/s}}
expect: [{errors: {load: browse, during: steady, count: "= 0"}}]
`, twoSpeeds(t).URL))
	var last map[string]*dto.MetricFamily
	before := 0.0
	eventually(t, 30*time.Second, func() error {
		got, err := scrapeNative(h.url)
		if err != nil {
			return err
		}
		last = got
		calls := total(got["ordeal_calls_total"])
		if calls < before {
			t.Errorf("%g calls after %g", calls, before)
		}
		before = calls
		if planned := total(got["ordeal_calls_planned"]); planned != 200 || calls < planned {
			return fmt.Errorf("%g of %g planned calls", calls, planned)
		}
		return nil
	})
	if code := h.interrupt(t); code != exitInterrupted {
		t.Fatalf("exit code %d: %s", code, h.stderr)
	}
	var calls, sum = 0, 0.0
	for s, err := range h.evidence(t).Samples() {
		if err != nil {
			t.Fatal(err)
		}
		calls++
		sum += s.Response().Seconds()
	}
	response := last["ordeal_response_seconds"].GetMetric()
	if len(response) != 1 {
		t.Fatalf("%d series of response times", len(response))
	}
	native := response[0].GetHistogram()
	if calls != 200 || native.GetSampleCount() != 200 || len(native.GetPositiveSpan()) == 0 {
		t.Errorf("%d calls in the evidence, %d in the histogram; want 200", calls, native.GetSampleCount())
	}
	if got := native.GetSampleSum(); got < sum*(1-1e-9) || got > sum*(1+1e-9) {
		t.Errorf("response times of %gs in all, want %gs", got, sum)
	}
	for name, want := range map[string]float64{
		"ordeal_calls_due_total": 200, "ordeal_calls_issued_total": 200, "ordeal_calls_in_flight": 0, "ordeal_calls_unissued": 0,
		"ordeal_response_bytes_total": 800, "ordeal_run_info": 1,
	} {
		if got := total(last[name]); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), "/metrics")); err == nil {
		conn.Close()
		t.Error("metrics are served after the end")
	}
}

// total adds up the series of a counter or gauge.
func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

func TestMetricsAtABusyAddressStartNothing(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	var stderr bytes.Buffer
	dir := filepath.Join(t.TempDir(), "runs")
	code := run(t.Context(), io.Discard, &stderr, []string{"run", "--out", dir, "--metrics-addr", busy.Addr().String(), "gateway-steady"})
	if code != exitFail || !strings.Contains(stderr.String(), syscall.EADDRINUSE.Error()) || !strings.Contains(stderr.String(), busy.Addr().String()) {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a run was begun: %v", cmp.Or(err, errors.New("its directory is there")))
	}
}
