package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// prometheus is a Prometheus server that scrapes one address.
type prometheus struct{ url string }

var listening = regexp.MustCompile(`msg="?Listening on"? address=(\S+)`)

// startPrometheus starts the server that is on the PATH; the test ends it.
func startPrometheus(t *testing.T, scrape string) *prometheus {
	t.Helper()
	u, err := url.Parse(scrape)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 250ms, scrape_timeout: 250ms%s}
scrape_configs:
  - job_name: ordeal
    static_configs: [{targets: [%q]}]
`, native(t), u.Host), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("prometheus", "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"),
		"--web.listen-address", "127.0.0.1:0", "--enable-feature=native-histograms")
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	var said strings.Builder
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(address)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			fmt.Fprintln(&said, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case address <- m[1]:
				default:
				}
			}
		}
	})
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("end prometheus: %v", err)
		}
		stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer stuck.Stop()
		reader.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("prometheus: %v\n%s", err, said.String())
		}
	})
	at, ok := <-address
	if !ok {
		t.Fatalf("prometheus did not say where it listens")
	}
	return &prometheus{url: "http://" + at}
}

var version = regexp.MustCompile(`version (\d+)\.(\d+)`)

// native is what must be added to the configuration for native histograms to be
// read, besides the flag, which has no effect from version 3.9 on.
func native(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("prometheus", "--version").CombinedOutput()
	m := version.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("prometheus --version: %v: %s", err, out)
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	switch at := 1000*major + minor; {
	case at < 2040:
		t.Skipf("prometheus %d.%d has no native histograms; 2.40 has", major, minor)
	case at >= 3008:
		return ", scrape_native_histograms: true"
	}
	return ""
}

// scraped is a value with the time of the scrape that it came from.
type scraped struct {
	at    time.Time
	value float64
}

// query asks for an instant vector or a range of one series: the values of the
// only series there is.
func (p *prometheus) query(promQL string, at time.Time) ([]scraped, error) {
	seconds := strconv.FormatFloat(float64(at.UnixMilli())/1e3, 'f', 3, 64)
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(p.url + "/api/v1/query?" + url.Values{"query": {promQL}, "time": {seconds}}.Encode())
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	type pair [2]any // seconds, value as text
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Value  *pair
				Values []pair
			}
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", res.Status, err)
	}
	if answer.Error != "" || len(answer.Data.Result) != 1 {
		return nil, fmt.Errorf("%s: %d series, want one: %s", promQL, len(answer.Data.Result), answer.Error)
	}
	pairs := answer.Data.Result[0].Values
	if one := answer.Data.Result[0].Value; one != nil {
		pairs = append(pairs, *one)
	}
	var values []scraped
	for _, p := range pairs {
		at, _ := p[0].(float64)
		text, _ := p[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", promQL, err)
		}
		values = append(values, scraped{time.UnixMilli(int64(at*1e3 + 0.5)), v})
	}
	return values, nil
}

// one asks for a single value.
func (p *prometheus) one(t *testing.T, promQL string, at time.Time) float64 {
	t.Helper()
	values, err := p.query(promQL, at)
	if err != nil || len(values) != 1 {
		t.Fatalf("%s: %d values, %v", promQL, len(values), err)
	}
	return values[0].value
}

// A real Prometheus sees the run as its evidence has it.
func TestPrometheusSeesTheRun(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("needs the prometheus server on the PATH, 2.40 or later (Debian: apt-get install prometheus)")
	}
	h := startHarness(t, fmt.Sprintf(`
ordeal: v1
name: scraped
targets: {shop: {external: %q}}
load: {browse: {http: {target: shop, get: /}, rate: 200/s}}
timeline: [{phase: steady, for: 10m}]
expect: [{errors: {load: browse, during: steady, count: "= 0"}}]
`, twoSpeeds(t).URL))
	server := startPrometheus(t, h.url)
	const calls = `ordeal_calls_total{scenario="scraped",load="browse",class="ok"}`
	var seen []scraped
	eventually(t, time.Minute, func() (err error) {
		if seen, err = server.query(calls+"[1h]", time.Now()); err != nil {
			return err
		}
		if n := len(seen); n < 5 || seen[n-1].value-seen[0].value < 500 {
			return fmt.Errorf("%d scrapes, %v", n, seen)
		}
		return nil
	})
	first, last := seen[0], seen[len(seen)-1]
	span := fmt.Sprintf("[%dms]", last.at.Sub(first.at).Milliseconds()+1)
	response := `ordeal_response_seconds{scenario="scraped",load="browse",class="ok"}`
	quantile := func(q string) float64 {
		return server.one(t, fmt.Sprintf("histogram_quantile(%s, rate(%s%s))", q, response, span), last.at)
	}
	p50, p99 := quantile("0.5"), quantile("0.99")
	if got := server.one(t, "histogram_count("+response+")", last.at); got != last.value {
		t.Errorf("the native histogram has %g calls, the counter of the same scrape %g", got, last.value)
	}
	if got := server.one(t, calls+` * on (scenario) group_left (phase) ordeal_phase_info{phase="steady"}`, last.at); got != last.value {
		t.Errorf("%g calls in phase steady, want %g", got, last.value)
	}
	if code := h.interrupt(t); code != exitInterrupted {
		t.Fatalf("exit code %d: %s", code, h.stderr)
	}
	truth := h.evidence(t)
	checkScrapes(t, truth, seen)
	checkQuantile(t, truth, first.at, last.at, 0.5, p50)
	checkQuantile(t, truth, first.at, last.at, 0.99, p99)
}

// checkScrapes holds every scrape against the calls that had ended by then. The
// time of a scrape is that of its beginning; how long it took is not known.
func checkScrapes(t *testing.T, r *evidence.Run, seen []scraped) {
	t.Helper()
	var ends []time.Time
	for s, err := range r.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, r.Meta.Base.Add(s.Done))
	}
	slices.SortFunc(ends, time.Time.Compare)
	endedBy := func(at time.Time) float64 {
		n, _ := slices.BinarySearchFunc(ends, at, time.Time.Compare)
		return float64(n)
	}
	const timeout, slack = 250 * time.Millisecond, 500 * time.Millisecond
	for _, s := range seen {
		if low, high := endedBy(s.at.Add(-slack)), endedBy(s.at.Add(timeout+slack)); s.value < low || s.value > high {
			t.Errorf("a scrape saw %g calls, when %g to %g had ended", s.value, low, high)
		}
	}
}

// checkQuantile holds a quantile against the calls that ended between two times.
// A bucket is a tenth wide, and the calls at the edges of the span are in doubt.
func checkQuantile(t *testing.T, r *evidence.Run, from, to time.Time, q, got float64) {
	t.Helper()
	var responses []float64
	for s, err := range r.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		if end := r.Meta.Base.Add(s.Done); end.After(from) && end.Before(to) {
			responses = append(responses, s.Response().Seconds())
		}
	}
	slices.Sort(responses)
	at := func(q float64) float64 { return responses[int(q*float64(len(responses)-1))] }
	doubt := min(0.15*q, 0.8*(1-q))
	if low, high := at(q-doubt)/1.1, at(q+doubt)*1.1; got < low || got > high {
		t.Errorf("quantile %g is %gs, want %gs to %gs", q, got, low, high)
	}
}
