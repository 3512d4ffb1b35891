package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// wrkTool is wrk: a closed model, with a pause before each request so that its
// ten connections come near to the rate of the case.
type wrkTool struct{ path string }

const wrkConnections = 10

func (w wrkTool) run(ctx context.Context, c *testCase, addr, dir string) (report, error) {
	pause := int(wrkConnections * 1000 / c.schedule.from) // ms
	script := fmt.Sprintf("function delay() return %d end\n", pause)
	if err := os.WriteFile(filepath.Join(dir, "pause.lua"), []byte(script), 0o644); err != nil {
		return report{}, fmt.Errorf("write wrk's script: %w", err)
	}
	args := []string{
		"-t1", "-c" + strconv.Itoa(wrkConnections), "-d" + c.schedule.length.String(), "--timeout", c.timeout.String(),
		"--latency", "-s", "pause.lua", "http://" + addr + "/call",
	}
	out, err := execute(ctx, dir, w.path, args...)
	if err != nil {
		return report{}, err
	}
	f, err := readWrk(string(out))
	return report{commands: []string{written(addr, w.path, args...) + "   # pause.lua: " + strings.TrimSpace(script)}, figures: f, closed: true}, err
}

var (
	wrkMax      = regexp.MustCompile(`(?m)^\s+Latency\s+\S+\s+\S+\s+(\S+)\s`)
	wrkRequests = regexp.MustCompile(`(?m)^\s+(\d+) requests in `)
	wrkPercent  = regexp.MustCompile(`(?m)^\s+(50|90|99)%\s+(\S+)\s*$`)
)

// readWrk reads what wrk --latency prints.
func readWrk(out string) (figures, error) {
	var f figures
	count, most := wrkRequests.FindStringSubmatch(out), wrkMax.FindStringSubmatch(out)
	if count == nil || most == nil {
		return f, fmt.Errorf("read wrk's report: want requests and latencies in %q", out)
	}
	var err error
	if f.count, err = strconv.ParseInt(count[1], 10, 64); err != nil {
		return f, fmt.Errorf("read wrk's report: %w", err)
	}
	column := map[string]int{"50": 0, "90": 1, "99": 2}
	for _, m := range append(wrkPercent.FindAllStringSubmatch(out, -1), []string{"", "max", most[1]}) {
		v, err := time.ParseDuration(m[2])
		if err != nil {
			return f, fmt.Errorf("read wrk's report: %w", err)
		}
		i, ok := column[m[1]]
		if !ok {
			i = len(percentiles) - 1
		}
		f.at[i] = figure{v, true}
	}
	return f, nil
}
