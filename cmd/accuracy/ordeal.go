package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ordeal/cmd/accuracy/target"
	"ordeal/runner/evidence"
)

// A launch runs a scenario file and returns its run directory, made below out.
type launch func(ctx context.Context, scenario, out string) (dir string, err error)

// command runs the ordeal binary. The verdict does not matter, the run does.
func command(binary string) launch {
	return func(ctx context.Context, scenario, out string) (string, error) {
		said, err := exec.CommandContext(ctx, binary, "run", "-q", "--out", out, scenario).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return "", fmt.Errorf("run ordeal: %w", err)
		}
		dirs, globErr := filepath.Glob(filepath.Join(out, "*", "run.json"))
		if globErr != nil || len(dirs) != 1 {
			return "", fmt.Errorf("ordeal left %d run directories in %s: %w: %s", len(dirs), out, errors.Join(err, globErr), said)
		}
		return filepath.Dir(dirs[0]), nil
	}
}

// observed is one run of Ordeal, and what the target knows of it.
type observed struct {
	run    *evidence.Run
	load   *evidence.Stats
	meta   evidence.LoadMeta
	record *target.Record
	base   time.Duration // offset zero of the evidence, on the target's clock
}

// observe runs a case under Ordeal.
func (s *suite) observe(ctx context.Context, c *testCase) (*observed, error) {
	dir, err := os.MkdirTemp(s.dir, c.name+"-")
	if err != nil {
		return nil, fmt.Errorf("make room for the run: %w", err)
	}
	known, err := s.start(ctx, dir, c)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(c.scenario(known.Addr)), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("write the scenario: %w", err), stopped(known))
	}
	wall := followWall(ctx)
	runDir, err := s.ordeal(ctx, file, filepath.Join(dir, "runs"))
	wall.close()
	record, stopErr := known.Stop()
	if err := errors.Join(err, stopErr); err != nil {
		return nil, err
	}
	o, err := readRun(runDir)
	if err != nil {
		return nil, err
	}
	o.record = record
	if o.base, err = wall.monotonic(o.run.Meta.Base); err != nil {
		return nil, err
	}
	return o, nil
}

func stopped(p *target.Process) error {
	_, err := p.Stop()
	return err
}

// start starts the target of a case, with room for twice what is planned.
func (s *suite) start(ctx context.Context, dir string, c *testCase) (*target.Process, error) {
	calls := 2*c.schedule.count() + 1000
	return target.Start(ctx, s.self, dir, target.Config{
		Kind: c.kind, Program: c.program, Seed: c.seed, Calls: calls, Messages: calls * c.perCall,
	})
}

// readRun reads the figures of a run, which must have gone its whole length and
// lost nothing.
func readRun(dir string) (*observed, error) {
	run, err := evidence.Open(dir)
	if err != nil {
		return nil, err
	}
	sum, err := run.Summary()
	if err != nil {
		return nil, err
	}
	if run.Meta.Outcome != evidence.Completed {
		return nil, fmt.Errorf("the run was %s: %s", run.Meta.Outcome, run.Meta.Error)
	}
	if len(run.Meta.Lost) > 0 {
		return nil, fmt.Errorf("the run lost evidence: %v", run.Meta.Lost)
	}
	if w := run.Warnings(); len(w) > 0 {
		return nil, fmt.Errorf("the evidence is damaged: %s", strings.Join(w, "; "))
	}
	load := sum.Load(loadName)
	if load == nil {
		return nil, fmt.Errorf("the evidence has no load %s", loadName)
	}
	return &observed{run: run, load: load.Over(phaseName), meta: load.Meta}, nil
}
