package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ordeal/cmd/accuracy/target"
)

// countCase makes very many calls and looks that each is in the evidence once.
type countCase struct {
	name, about string
	kind        string
	call        string // the load's kind, as YAML
}

func countCases() []countCase {
	return []countCase{
		{"count-http", "every HTTP call is in the evidence, once", "http", `http: {target: known, get: /call}`},
		{
			"count-grpc", "every gRPC call is in the evidence, once", "grpc",
			`grpc: {target: known, call: grpc.testing.TestService/UnaryCall, data: {}, connections: 4}`,
		},
	}
}

// countExpected is how long so many calls take, at a guess.
func countExpected(calls int64) time.Duration {
	const guess = 18_000 // a second, on two cores that the target shares
	return probeFor + time.Duration(float64(calls)/guess*marginOf*1e9) + 20*time.Second
}

const (
	countClients = 64
	probeFor     = 3 * time.Second // to learn the rate
	marginOf     = 1.15            // more time than the rate asks for
)

// counted is what a run of a count case came to.
type counted struct {
	c        *countCase
	took     time.Duration
	target   int64 // calls that the target counted
	samples  int64
	distinct int64  // numbers in the evidence
	highest  uint64 // the highest of them
	summed   int64  // calls in the figures
	wanted   int64
	checked  bool
	problems []string
}

func (r *counted) passes() bool { return r.checked && len(r.problems) == 0 }

// check looks that all the counts are one.
func (r *counted) check() {
	r.checked = true
	for what, n := range map[string]int64{
		"calls reached the target":            r.target,
		"numbers are in the evidence":         r.distinct,
		"is the highest number, counted on":   int64(r.highest) + 1,
		"calls are in the figures of the run": r.summed,
	} {
		if n != r.samples {
			r.problems = append(r.problems, fmt.Sprintf("%s samples are in the evidence, and %s %s", grouped(r.samples), grouped(n), what))
		}
	}
	if r.samples < r.wanted {
		r.problems = append(r.problems, fmt.Sprintf("%s calls were made, and %s are wanted", grouped(r.samples), grouped(r.wanted)))
	}
}

func (s *suite) countAll(ctx context.Context, all []countCase, calls int64) ([]*counted, error) {
	var out []*counted
	for i := range all {
		r, err := s.count(ctx, &all[i], calls)
		if err != nil {
			return out, fmt.Errorf("case %s: %w", all[i].name, err)
		}
		out = append(out, r)
		if _, err := io.WriteString(s.out, r.table()); err != nil {
			return out, fmt.Errorf("print the table: %w", err)
		}
	}
	return out, nil
}

// count probes the rate, and then makes at least so many calls.
func (s *suite) count(ctx context.Context, c *countCase, calls int64) (*counted, error) {
	length := probeFor
	probe, err := s.countFor(ctx, c, length)
	for err == nil && probe.samples < calls {
		if probe.samples == 0 {
			return nil, errors.New("no call was made")
		}
		// The rate falls where others use the machine: it is asked again until
		// there are enough.
		length = max(time.Duration(math.Ceil(length.Seconds()*float64(calls)/float64(probe.samples)*marginOf))*time.Second, length+time.Second)
		fmt.Fprintf(s.out, "\n%s: %v at about %s/s\n", c.name, length, grouped(int64(float64(probe.samples)/probe.took.Seconds()))) //nolint:errcheck // a courtesy
		probe, err = s.countFor(ctx, c, length)
	}
	if err != nil {
		return nil, err
	}
	probe.wanted = calls
	probe.check()
	return probe, nil
}

// countFor makes calls for a time, as fast as its clients can.
func (s *suite) countFor(ctx context.Context, c *countCase, length time.Duration) (*counted, error) {
	dir, err := os.MkdirTemp(s.dir, c.name+"-")
	if err != nil {
		return nil, fmt.Errorf("make room for the run: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the directory above goes, too
	known, err := target.Start(ctx, s.self, dir, target.Config{Kind: c.kind, Program: "prompt", Count: true})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "scenario.yaml")
	text := document(c.name, known.Addr, c.call, fmt.Sprintf("clients: %d", countClients), length)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("write the scenario: %w", err), stopped(known))
	}
	runDir, err := s.ordeal(ctx, file, filepath.Join(dir, "runs"))
	record, stopErr := known.Stop()
	if err := errors.Join(err, stopErr); err != nil {
		return nil, err
	}
	o, err := readRun(runDir)
	if err != nil {
		return nil, err
	}
	r := &counted{c: c, took: length, target: record.Total, summed: o.load.Calls}
	return r, r.read(o)
}

// read goes through all samples with one bit for each number.
func (r *counted) read(o *observed) error {
	const most = 1 << 32
	var bits []uint64
	for s, err := range o.run.Samples() {
		if err != nil {
			return fmt.Errorf("read the evidence: %w", err)
		}
		r.samples++
		if s.Seq >= most {
			return fmt.Errorf("a call has the number %d", s.Seq)
		}
		for uint64(len(bits)) <= s.Seq/64 {
			bits = append(bits, make([]uint64, 1+len(bits))...)
		}
		if bit := uint64(1) << (s.Seq % 64); bits[s.Seq/64]&bit == 0 {
			bits[s.Seq/64] |= bit
			r.distinct++
		}
		r.highest = max(r.highest, s.Seq)
	}
	return nil
}

func (r *counted) table() string {
	word := "pass"
	if !r.passes() {
		word = "fail"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n  %s\n", r.c.name, word, r.c.about)
	for _, line := range []struct {
		what string
		n    int64
	}{
		{"counted by the target", r.target},
		{"samples in the evidence", r.samples},
		{"different numbers in the evidence", r.distinct},
		{"highest number, counted on", int64(r.highest) + 1},
		{"calls in the figures", r.summed},
	} {
		fmt.Fprintf(&b, "  %-40s %14s\n", line.what, grouped(line.n))
	}
	for _, p := range r.problems {
		fmt.Fprintf(&b, "  wrong: %s\n", p)
	}
	return b.String()
}
