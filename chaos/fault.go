package chaos

import (
	"context"
	"errors"
	"fmt"
)

// Env is what a fault needs of the run that it is part of.
type Env struct {
	Link      func(name string) *Link       // nil where there is none
	Processes func(target string) []Process // one a replica, in order; none where unknown or not ours to touch
	Cluster   Cluster                       // where Pods and nodes are; nil where there is none
	Seed      uint64                        // of the run: the same seed draws the same jitter and shares
	// Run is the context of the run, nil for one that does not end. When it is
	// done the targets are about to be ended: then a heal does not start a process
	// again, nor wait for one that is being started, and calls neither an error.
	Run context.Context
}

// Fault binds the spec to what it is to break. It fails if that does not exist
// or the spec is not valid.
func (s *Spec) Fault(env Env) (Fault, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("fault %q: %w", s, err)
	}
	_, kinds := s.set()
	if k, ok := kinds[0].(linkKind); ok {
		l := env.Link(s.Link)
		if l == nil {
			return nil, fmt.Errorf("fault %q: there is no link %s", s, s.Link)
		}
		return &linkFault{name: s.String(), kind: k, link: l, seed: env.Seed}, nil
	}
	run := env.Run
	if run == nil {
		run = context.Background()
	}
	if k, ok := kinds[0].(clusterKind); ok {
		if env.Cluster == nil {
			return nil, fmt.Errorf("fault %q: there is no cluster", s)
		}
		g := ground{Cluster: env.Cluster, target: s.Target, node: s.Node, seed: faultSeed(env.Seed, s.String()), scene: scene{run: run}}
		return &clusterFault{name: s.String(), kind: k, ground: g}, nil
	}
	procs, err := choose(env.Processes(s.Target), replicaOf(kinds[0]))
	if err != nil {
		return nil, fmt.Errorf("fault %q: %w", s, err)
	}
	return &processFault{name: s.String(), kind: kinds[0].(processKind), procs: procs, run: run}, nil
}

// check validates the spec and its kind, for a spec that no scenario's decoder
// has seen.
func (s *Spec) check() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		err := fmt.Errorf(format, args...)
		if field != "" {
			err = fmt.Errorf("%s: %w", field, err)
		}
		errs = append(errs, err)
	}
	s.Validate(bad)
	_, kinds := s.set()
	for _, k := range kinds {
		k.Validate(bad)
	}
	return errors.Join(errs...)
}
