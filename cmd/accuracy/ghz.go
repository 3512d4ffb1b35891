package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// ghzTool is the ghz command: with its fifty workers, or starting calls on
// schedule (--async).
type ghzTool struct {
	path  string
	async bool
}

func (g ghzTool) run(ctx context.Context, c *testCase, addr, dir string) (report, error) {
	args := []string{
		"--insecure", "--call", "grpc.testing.TestService/" + c.method, "-d", c.short,
		"--rps", strconv.Itoa(int(c.schedule.from)), "-n", strconv.Itoa(c.schedule.count()), "-c", "50", "-t", c.timeout.String(), "-O", "json",
	}
	if c.interval > 0 {
		args = append(args, "--stream-interval", c.interval.String())
	}
	if g.async {
		args = append(args, "--async")
	}
	args = append(args, addr)
	out, err := execute(ctx, dir, g.path, args...)
	if err != nil {
		return report{}, err
	}
	f, err := readGhz(out)
	return report{commands: []string{written(addr, g.path, args...)}, figures: f}, err
}

// readGhz reads what ghz -O json prints.
func readGhz(out []byte) (figures, error) {
	var r struct {
		Count        int64         `json:"count"`
		Slowest      time.Duration `json:"slowest"` // ns
		Distribution []struct {
			Percentage int           `json:"percentage"`
			Latency    time.Duration `json:"latency"`
		} `json:"latencyDistribution"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return figures{}, fmt.Errorf("read ghz's report: %w", err)
	}
	f := figures{count: r.Count}
	for _, d := range r.Distribution {
		for i, p := range percentiles {
			if float64(d.Percentage) == p {
				f.at[i] = figure{d.Latency, true}
			}
		}
	}
	f.at[len(percentiles)-1] = figure{r.Slowest, r.Count > 0}
	return f, nil
}
