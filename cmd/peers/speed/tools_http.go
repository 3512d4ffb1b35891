package speed

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// vegeta writes its results to a file, from which its own report is made
// afterwards.
func vegeta() *tool {
	return &tool{
		name: "vegeta", peer: "vegeta",
		files: func(j job) map[string]string { return map[string]string{"targets.txt": "GET " + j.url() + "\n"} },
		args: func(j job) []string {
			args := []string{"attack", "-targets=targets.txt", "-duration=" + j.lasts.String(), "-output=results.bin"}
			if j.rate > 0 {
				return append(args, "-rate="+strconv.Itoa(j.rate), "-max-workers="+strconv.Itoa(mostInFlight))
			}
			return append(args, "-rate=0", "-max-workers="+strconv.Itoa(j.clients))
		},
		read: func(ctx context.Context, binary, dir string) (said, error) {
			cmd := exec.CommandContext(ctx, binary, "report", "-type=json", "results.bin")
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				return said{}, fmt.Errorf("vegeta report: %w", err)
			}
			return readVegeta(out)
		},
	}
}

func readVegeta(text []byte) (said, error) {
	var doc struct {
		Requests  *int64
		Codes     map[string]int64 `json:"status_codes"`
		Latencies struct {
			P99 time.Duration `json:"99th"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return said{}, fmt.Errorf("read vegeta's report: %w", err)
	}
	if doc.Requests == nil {
		return said{}, fmt.Errorf("vegeta's report has no requests: %.200s", text)
	}
	return said{calls: *doc.Requests, failed: *doc.Requests - doc.Codes["200"], p99: doc.Latencies.P99}, nil
}

func fortio() *tool {
	return &tool{
		name: "fortio", peer: "fortio",
		args: func(j job) []string {
			return []string{"load", "-quiet", "-qps", strconv.Itoa(j.rate), "-c", strconv.Itoa(j.clients), // 0: as many as there can be
				"-t", j.lasts.String(), "-p", "99", "-json", "result.json", j.url()}
		},
		read: readFile("result.json", readFortio),
	}
}

func readFortio(text []byte) (said, error) {
	var doc struct {
		Codes    map[string]int64 `json:"RetCodes"`
		Duration struct {
			Count       *int64
			Percentiles []struct{ Percentile, Value float64 }
		} `json:"DurationHistogram"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return said{}, fmt.Errorf("read fortio's result: %w", err)
	}
	if doc.Duration.Count == nil || len(doc.Duration.Percentiles) != 1 {
		return said{}, fmt.Errorf("fortio's result has no count or no percentile: %.200s", text)
	}
	calls := *doc.Duration.Count
	return said{calls: calls, failed: calls - doc.Codes["200"], p99: seconds(doc.Duration.Percentiles[0].Value)}, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// k6 runs a script of one call, and is told to throw the answers away.
func k6() *tool {
	return &tool{
		name: "k6", peer: "k6",
		env:   []string{"K6_NO_USAGE_REPORT=true"},
		files: func(j job) map[string]string { return map[string]string{"script.js": k6Script(j)} },
		args: func(job) []string {
			return []string{"run", "--quiet", "--no-color", "--address=127.0.0.1:0", "--summary-export=summary.json", "script.js"}
		},
		read: readFile("summary.json", readK6),
	}
}

func k6Script(j job) string {
	how := fmt.Sprintf("executor: 'constant-vus', vus: %d", j.clients)
	if j.rate > 0 {
		how = fmt.Sprintf("executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', preAllocatedVUs: %d, maxVUs: %d", j.rate, j.clients, mostInFlight)
	}
	return fmt.Sprintf(`import http from 'k6/http';
export const options = {
  scenarios: { load: { %s, duration: '%v' } },
  discardResponseBodies: true,
  summaryTrendStats: ['p(99)'],
};
export default function () { http.get('%s'); }
`, how, j.lasts, j.url())
}

func readK6(text []byte) (said, error) {
	var doc struct {
		Metrics struct {
			Requests *struct{ Count int64 }  `json:"http_reqs"`
			Failed   *struct{ Passes int64 } `json:"http_req_failed"`
			Duration *struct {
				P99 float64 `json:"p(99)"` // ms
			} `json:"http_req_duration"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return said{}, fmt.Errorf("read k6's summary: %w", err)
	}
	m := doc.Metrics
	if m.Requests == nil || m.Failed == nil || m.Duration == nil {
		return said{}, fmt.Errorf("k6's summary has no requests: %.200s", text)
	}
	return said{calls: m.Requests.Count, failed: m.Failed.Passes, p99: seconds(m.Duration.P99 / 1e3)}, nil
}

// wrk has a thread for each processor that it is given, as far as there are
// connections for them, and no open model.
func wrk() *tool {
	return &tool{
		name: "wrk", peer: "wrk",
		args: func(j job) []string {
			return []string{"-t" + strconv.Itoa(max(1, min(j.cpus, j.clients))), "-c" + strconv.Itoa(j.clients), "-d" + strconv.Itoa(int(j.lasts.Round(time.Second).Seconds())) + "s", "--latency", j.url()}
		},
		read: readFile(outputFile, readWrk),
	}
}

var (
	wrkCalls  = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkP99    = regexp.MustCompile(`(?m)^\s*99%\s+([\d.]+(?:us|ms|s|m))\s*$`)
	wrkBad    = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: (\d+)`)
	wrkBroken = regexp.MustCompile(`(?m)^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

func readWrk(text []byte) (said, error) {
	calls, p99 := wrkCalls.FindSubmatch(text), wrkP99.FindSubmatch(text)
	if calls == nil || p99 == nil {
		return said{}, fmt.Errorf("wrk's output has no requests or no 99%%: %.200s", text)
	}
	var s said
	for _, n := range []struct {
		to     *int64
		digits [][]byte
	}{{&s.calls, calls[1:]}, {&s.failed, tailOf(wrkBad.FindSubmatch(text))}, {&s.failed, tailOf(wrkBroken.FindSubmatch(text))}} {
		for _, d := range n.digits {
			v, err := strconv.ParseInt(string(d), 10, 64)
			if err != nil {
				return said{}, fmt.Errorf("read wrk's output: %w", err)
			}
			*n.to += v
		}
	}
	var err error
	if s.p99, err = time.ParseDuration(string(p99[1])); err != nil {
		return said{}, fmt.Errorf("read wrk's 99%%: %w", err)
	}
	return s, nil
}

// tailOf is what a match has besides its whole.
func tailOf(match [][]byte) [][]byte {
	if match == nil {
		return nil
	}
	return match[1:]
}

// readFile reads one file that the tool has written.
func readFile(name string, read func([]byte) (said, error)) func(context.Context, string, string) (said, error) {
	return func(_ context.Context, _, dir string) (said, error) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return said{}, fmt.Errorf("read what it reports: %w", err)
		}
		return read(text)
	}
}
