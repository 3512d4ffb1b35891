package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ordeal/cmd/accuracy/target"
	"ordeal/cmd/peers/peer"
)

// A tool is another load generator.
type tool interface {
	// run runs a case against addr; dir is for its files.
	run(ctx context.Context, c *testCase, addr, dir string) (report, error)
}

// report is what a tool says of its run, and how it was run.
type report struct {
	commands []string // as a person would write them
	figures  figures
	dropped  int  // calls that it left out and says so
	closed   bool // it follows no schedule: the truth is the time that each call took
}

// peerResult is a tool's part of a case.
type peerResult struct {
	name  string
	truth figures
	report
	err error
}

// findTools finds the tools that are there. version names those; missing says
// what of those that are not.
func findTools(ctx context.Context) (tools map[string]tool, versions map[string]string, missing []string) {
	tools, versions = make(map[string]tool), make(map[string]string)
	for _, name := range []string{"vegeta", "ghz", "k6", "wrk"} {
		path, version, err := peer.Find(ctx, name)
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		versions[name] = version
		switch name {
		case "vegeta":
			tools[name] = vegetaTool{path}
		case "ghz":
			tools[name], tools["ghz-async"] = ghzTool{path, false}, ghzTool{path, true}
		case "k6":
			tools[name] = k6Tool{path}
		case "wrk":
			tools[name] = wrkTool{path}
		}
	}
	return tools, versions, missing
}

// runPeers runs the peers of a case beside each other, each with a target of
// its own.
func (s *suite) runPeers(ctx context.Context, c *testCase) []peerResult {
	var results []peerResult
	for _, name := range c.peers {
		if s.peers[name] != nil {
			results = append(results, peerResult{name: name})
		}
	}
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			r := &results[i]
			r.err = s.runPeer(ctx, c, r)
		})
	}
	wg.Wait()
	return results
}

func (s *suite) runPeer(ctx context.Context, c *testCase, r *peerResult) error {
	ctx, cancel := context.WithTimeout(ctx, 3*c.expected()+time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp(s.dir, c.name+"-"+r.name+"-")
	if err != nil {
		return fmt.Errorf("make room for %s: %w", r.name, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("make room for %s: %w", r.name, err)
	}
	known, err := s.start(ctx, dir, c)
	if err != nil {
		return err
	}
	said, err := s.peers[r.name].run(ctx, c, known.Addr, dir)
	record, stopErr := known.Stop()
	if err := errors.Join(err, stopErr); err != nil {
		return err
	}
	r.report = said
	r.truth, err = peerTruth(c, record, said)
	return err
}

// peerTruth is the truth of a peer's own run.
func peerTruth(c *testCase, record *target.Record, said report) (truth figures, err error) {
	switch {
	case said.closed:
		// The tool ends while its connections wait: those calls are in no figure.
		whole := slices.DeleteFunc(slices.Clone(record.Calls), func(c target.Call) bool { return c.Outcome == target.Pending })
		return exactly(services(ordered(whole, c.schedule, c.timeout))), nil
	case said.dropped == 0:
		return exactly(responses(ordered(record.Calls, c.schedule, c.timeout))), nil
	}
	var p target.Program
	if c.timeless {
		if p, err = target.ParseProgram(c.program, c.seed); err != nil {
			return figures{}, err
		}
	}
	of, _ := skipping(record.Calls, c.schedule, c.timeout, p)
	return exactly(responses(of)), nil
}

// execute runs a program; what it wrote to stderr is in the error.
func execute(ctx context.Context, dir, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("run %s: %w: %s", filepath.Base(path), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out, nil
}

// written is a command line as a person would write it.
func written(addr, path string, args ...string) string {
	words := []string{filepath.Base(path)}
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " {}[]\"|") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.ReplaceAll(strings.Join(words, " "), addr, "ADDR")
}

// milliseconds reads a number of them.
func milliseconds(v float64) figure {
	return figure{time.Duration(v * float64(time.Millisecond)), true}
}
