package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// vegetaTool is the vegeta command.
type vegetaTool struct{ path string }

func (v vegetaTool) run(ctx context.Context, c *testCase, addr, dir string) (report, error) {
	targets := filepath.Join(dir, "targets.txt")
	if err := os.WriteFile(targets, []byte("GET http://"+addr+"/call\n"), 0o644); err != nil {
		return report{}, fmt.Errorf("write vegeta's targets: %w", err)
	}
	workers := strconv.Itoa(c.workers)
	attack := []string{
		"attack", "-targets", "targets.txt", "-rate", strconv.Itoa(int(c.schedule.from)), "-duration", c.schedule.length.String(),
		"-workers", strconv.Itoa(min(c.workers, 10)), "-max-workers", workers, "-timeout", c.timeout.String(), "-output", "results.bin",
	}
	show := []string{"report", "-type", "json", "results.bin"}
	if _, err := execute(ctx, dir, v.path, attack...); err != nil {
		return report{}, err
	}
	out, err := execute(ctx, dir, v.path, show...)
	if err != nil {
		return report{}, err
	}
	f, err := readVegeta(out)
	return report{commands: []string{written(addr, v.path, attack...), written(addr, v.path, show...)}, figures: f}, err
}

// readVegeta reads vegeta report -type json.
func readVegeta(out []byte) (figures, error) {
	var r struct {
		Requests  int64                    `json:"requests"`
		Latencies map[string]time.Duration `json:"latencies"` // ns
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return figures{}, fmt.Errorf("read vegeta's report: %w", err)
	}
	f := figures{count: r.Requests}
	for i, name := range [len(percentiles)]string{"50th", "90th", "99th", "", "max"} {
		f.at[i].value, f.at[i].told = r.Latencies[name]
	}
	return f, nil
}
