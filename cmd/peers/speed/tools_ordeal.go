package speed

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"context"
)

// ordeal runs a scenario of one load with everything that a run records, shows
// and judges. An inconclusive verdict (3) says nothing against the figures: a
// generator at its limit is what is asked for here.
func ordeal(name string, more ...string) *tool {
	return &tool{
		name: name, peer: ordealBinary, codes: []int{3},
		files: func(j job) map[string]string { return map[string]string{"scenario.yaml": scenario(j)} },
		args: func(job) []string {
			return append(append([]string{"run", "--out=runs"}, more...), "scenario.yaml")
		},
		read: func(_ context.Context, _, dir string) (said, error) {
			found, err := filepath.Glob(filepath.Join(dir, "runs", "*", "report.json"))
			if err != nil || len(found) != 1 {
				return said{}, fmt.Errorf("ordeal left %d reports, want one", len(found))
			}
			text, err := os.ReadFile(found[0])
			if err != nil {
				return said{}, fmt.Errorf("read ordeal's report: %w", err)
			}
			return readOrdeal(text)
		},
	}
}

// The open model is asked for more than can be, and then for half of what it made
// of that.
const (
	flooded = "ordeal, all it can"
	halved  = "ordeal, half of that"
	flood   = 1_000_000 // calls a second
)

// onTime are the two tools that show how late calls are sent.
func onTime() []*tool {
	most, half := ordeal(flooded), ordeal(halved)
	most.pace = func(map[string]rounds) int { return flood }
	half.pace = func(done map[string]rounds) int { return int(done[flooded].of(rate).Median / 2) }
	return []*tool{most, half}
}

// scenario is what Ordeal runs.
func scenario(j job) string {
	load := "http: {target: server, get: /}"
	if j.conns > 0 {
		load = fmt.Sprintf(`grpc: {target: server, call: %s, data: {user_id: "42"}, connections: %d}`, getUser, j.conns)
	}
	how := fmt.Sprintf("clients: %d", j.clients)
	if j.rate > 0 || j.paced {
		how = fmt.Sprintf("rate: %d/s", j.rate)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ordeal: v1\nname: speed\n")
	fmt.Fprintf(&b, "targets:\n  server: {external: %q}\n", j.addr)
	fmt.Fprintf(&b, "load:\n  calls: {%s, %s}\n", load, how)
	if j.paced { // what is told of a phase is told of what is measured
		fmt.Fprintf(&b, "timeline: [{phase: warm-up, for: %v}, {phase: full, for: %v}]\n", j.warm, j.lasts-j.warm)
	} else {
		fmt.Fprintf(&b, "timeline: [{phase: full, for: %v}]\n", j.lasts)
	}
	fmt.Fprintf(&b, "expect:\n  - errors: {load: calls, during: full, count: \"= 0\"}\n")
	return b.String()
}

func readOrdeal(text []byte) (said, error) {
	var doc struct {
		Loads []struct {
			Whole struct {
				Calls, Errors *int64
				Response      struct {
					P99 *time.Duration `json:"p99_ns"`
				}
			}
			Phases []struct {
				SendLag struct {
					P99 time.Duration `json:"p99_ns"`
				} `json:"send_lag"`
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return said{}, fmt.Errorf("read ordeal's report: %w", err)
	}
	if len(doc.Loads) != 1 {
		return said{}, fmt.Errorf("ordeal's report has %d loads, want one", len(doc.Loads))
	}
	w := doc.Loads[0].Whole
	if w.Calls == nil || w.Errors == nil || w.Response.P99 == nil {
		return said{}, fmt.Errorf("ordeal's report lacks calls, errors or p99")
	}
	s := said{calls: *w.Calls, failed: *w.Errors, p99: *w.Response.P99}
	if phases := doc.Loads[0].Phases; len(phases) > 0 {
		s.lag = phases[len(phases)-1].SendLag.P99
	}
	return s, nil
}
