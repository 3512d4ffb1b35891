package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// k6Tool is k6 with an arrival rate.
type k6Tool struct{ path string }

func (k k6Tool) run(ctx context.Context, c *testCase, addr, dir string) (report, error) {
	script := k6Script(c, addr)
	if err := os.WriteFile(filepath.Join(dir, "script.js"), []byte(script), 0o644); err != nil {
		return report{}, fmt.Errorf("write k6's script: %w", err)
	}
	args := []string{"run", "--quiet", "--no-usage-report", "--address", "", "script.js"}
	if _, err := execute(ctx, dir, k.path, args...); err != nil {
		return report{}, err
	}
	out, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return report{}, fmt.Errorf("read k6's summary: %w", err)
	}
	r, err := readK6(out, c.k6Metric())
	r.commands = append(strings.Split(strings.TrimSpace(strings.ReplaceAll(script, addr, "ADDR")), "\n"), "", written(addr, k.path, args...))
	return r, err
}

func (c *testCase) k6Metric() string {
	if c.kind == "grpc" {
		return "grpc_req_duration"
	}
	return "http_req_duration"
}

// k6Script is the case for k6.
func k6Script(c *testCase, addr string) string {
	users := c.users
	if users == 0 {
		users = c.workers
	}
	pace := fmt.Sprintf("executor: 'constant-arrival-rate', rate: %g, duration: '%v'", c.schedule.from, c.schedule.length)
	if c.schedule.from != c.schedule.to {
		pace = fmt.Sprintf("executor: 'ramping-arrival-rate', startRate: %g,\n    stages: [{target: %g, duration: '%v'}]",
			c.schedule.from, c.schedule.to, c.schedule.length)
	}
	load, call := "import http from 'k6/http';", fmt.Sprintf("  http.get('http://%s/call', {timeout: '%v'});", addr, c.timeout)
	if c.kind == "grpc" {
		load, call = c.k6GRPC(addr)
	}
	return load + `
export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max', 'count'],
  scenarios: {calls: {
    ` + pace + `,
` + fmt.Sprintf("    preAllocatedVUs: %d, maxVUs: %d, gracefulStop: '%v',", users, users, c.timeout) + `
  }},
};
export default function () {
` + call + `
}
export function handleSummary(data) { return {'summary.json': JSON.stringify(data.metrics)}; }
`
}

// k6GRPC is how k6 makes a gRPC call: what it needs, and the call.
func (c *testCase) k6GRPC(addr string) (load, call string) {
	call = fmt.Sprintf("  if (__ITER == 0) client.connect('%s', {plaintext: true, reflect: true});\n", addr)
	if c.method == "UnaryCall" {
		return "import grpc from 'k6/net/grpc';\nconst client = new grpc.Client();",
			call + fmt.Sprintf("  client.invoke('grpc.testing.TestService/%s', %s, {timeout: '%v'});", c.method, c.short, c.timeout)
	}
	load = `import {Client, Stream} from 'k6/net/grpc';
import {setTimeout} from 'k6/timers';
const client = new Client();
const messages = [].concat(` + c.short + `);`
	return load, call + fmt.Sprintf(`  const stream = new Stream(client, 'grpc.testing.TestService/%s', {});
  stream.on('end', () => {});
  stream.on('error', () => {});
  const send = (i) => {
    stream.write(messages[i]);
    if (i + 1 < messages.length) setTimeout(() => send(i + 1), %d); else stream.end();
  };
  send(0);`, c.method, c.interval.Milliseconds())
}

// readK6 reads the metrics of k6's summary.
func readK6(out []byte, metric string) (report, error) {
	var metrics map[string]struct {
		Values map[string]float64 `json:"values"`
	}
	if err := json.Unmarshal(out, &metrics); err != nil {
		return report{}, fmt.Errorf("read k6's summary: %w", err)
	}
	trend := metrics[metric].Values
	if trend == nil {
		return report{}, fmt.Errorf("k6's summary has no %s", metric)
	}
	r := report{dropped: int(metrics["dropped_iterations"].Values["count"])}
	r.figures.count = int64(trend["count"])
	for i, name := range [len(percentiles)]string{"med", "p(90)", "p(99)", "p(99.9)", "max"} {
		if v, ok := trend[name]; ok {
			r.figures.at[i] = milliseconds(v)
		}
	}
	return r, nil
}
