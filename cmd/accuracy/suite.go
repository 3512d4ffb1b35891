package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// maxAttempts is how often a case is run before it has failed.
const maxAttempts = 3

// suite runs cases.
type suite struct {
	ordeal launch
	self   string // this program, to start targets with
	dir    string // for runs and logs
	peers  map[string]tool
	out    io.Writer
}

// result is what became of a case.
type result struct {
	c        *testCase
	attempts []attempt
	peers    []peerResult
}

func (r *result) last() *attempt { return &r.attempts[len(r.attempts)-1] }

// passes reports whether the case holds: its last attempt does, and where the
// case is a control, service times would have failed it.
func (r *result) passes() bool {
	return len(r.attempts) > 0 && r.last().passes() && !r.blind()
}

// blind reports that service times passed where they must not.
func (r *result) blind() bool {
	return r.c.control && len(r.attempts) > 0 && r.last().calls.control.holds()
}

// run runs a case under Ordeal until it passes, and then its peers.
func (s *suite) run(ctx context.Context, c *testCase) (*result, error) {
	r := &result{c: c}
	for range maxAttempts {
		o, err := s.observe(ctx, c)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var a attempt
		if err != nil {
			a.problem("%v", err)
		} else {
			a = judgeRun(c, o)
		}
		r.attempts = append(r.attempts, a)
		if a.passes() {
			break
		}
	}
	r.peers = s.runPeers(ctx, c)
	return r, ctx.Err()
}

// expected is how long a case takes at the first try.
func (c *testCase) expected() time.Duration {
	const around = 3 * time.Second // starting, ending, reading
	one := c.schedule.length + around
	if c.name == "overload" {
		one += 17 * time.Second // to drain
	}
	if len(c.peers) > 0 {
		return 2 * one
	}
	return one
}

// runAll runs cases one after the other and prints each.
func (s *suite) runAll(ctx context.Context, all []testCase) ([]*result, error) {
	var results []*result
	for i := range all {
		r, err := s.run(ctx, &all[i])
		if err != nil {
			return results, fmt.Errorf("case %s: %w", all[i].name, err)
		}
		results = append(results, r)
		if _, err := io.WriteString(s.out, r.table()); err != nil {
			return results, fmt.Errorf("print the table: %w", err)
		}
	}
	return results, nil
}
