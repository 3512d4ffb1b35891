// Package chaos breaks things on purpose, and mends them again: links between
// targets that go through a programmable proxy, and faults on links and on the
// processes of targets.
package chaos

import (
	"context"
	"fmt"

	"ordeal/runner/evidence"
)

// Fault is something that can be broken and healed. String names it with its
// attributes, as in "latency 300ms ± 50ms on gateway->users".
type Fault interface {
	fmt.Stringer
	// Inject starts the fault and returns once it acts. When it fails, nothing is
	// left broken.
	Inject(ctx context.Context) (Injection, error)
}

// Injection is a fault that acts.
type Injection interface {
	// Heal ends the fault and returns once things are as before. It is called
	// exactly once, in a context that outlives cancellation of the run, and is
	// bounded in time. An error means that something may still be broken.
	Heal(ctx context.Context) error
	// Touched counts what the fault acted on so far; valid after Heal too.
	Touched() evidence.Touched
}

// Process is one running replica of a target, as faults need it. Its errors need
// not say what was done to which process: the fault does.
type Process interface {
	Name() string // "users" or "users/1"
	// Kill ends the process at once (SIGKILL to its group) and waits for it.
	Kill(ctx context.Context) error
	// Terminate asks it to end (SIGTERM) and waits until it has, or ctx ends.
	Terminate(ctx context.Context) error
	// Start starts it again on the same address and waits until it is ready.
	Start(ctx context.Context) error
	// Pause stops it (SIGSTOP to its group); Resume lets it go on (SIGCONT).
	Pause() error
	Resume() error
}
