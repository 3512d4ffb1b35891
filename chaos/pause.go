package chaos

import (
	"context"
	"errors"
	"fmt"
)

// Pause stops the processes of a target (SIGSTOP), as when they hang: ports
// stay open, connections stand, nothing answers. Healing lets them go on
// (SIGCONT).
type Pause struct {
	Replica int `yaml:"replica" doc:"the one replica that is paused, counted from 1; all unless given"`
}

// Validate reports attributes that make no sense.
func (p *Pause) Validate(bad func(field, format string, args ...any)) { checkReplica(bad, p.Replica) }

func (p *Pause) String() string { return "pause" + numbered(p.Replica) }

func (p *Pause) replica() int { return p.Replica }

func (p *Pause) strike(_ context.Context, s scene) (func(context.Context) error, error) {
	for i, proc := range s.procs {
		if err := proc.Pause(); err != nil {
			return nil, errors.Join(fmt.Errorf("pause %s: %w", proc.Name(), err), resume(s.procs[:i+1]))
		}
		s.count.Add(1)
	}
	return func(context.Context) error { return resume(s.procs) }, nil
}

// resume lets all go on, whatever becomes of one.
func resume(procs []Process) error {
	return each(procs, "resume", Process.Resume)
}
