package breaker

import (
	"errors"
	"fmt"
	"time"
)

// State is where a breaker stands. The numbers are those of the breaker_state metric.
type State uint8

// The three states.
const (
	Closed   State = iota // calls go through and are counted
	Open                  // calls are refused
	HalfOpen              // a fixed number of calls go through on probation
)

// String is the state's name in metrics and logs.
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Transition is one change of state.
type Transition struct {
	Breaker  string // its configured name
	From, To State
	At       time.Time
	// What the window held when the decision fell.
	Calls, Failures, Slow int
}

// Edge is one legal change of state: how often it happened, and when last (zero: never).
type Edge struct {
	From, To State
	Count    uint64
	Last     time.Time
}

// legalEdges are all that there are: a breaker never goes from closed to half-open, or from open to closed.
var legalEdges = [4]Edge{
	{From: Closed, To: Open},
	{From: Open, To: HalfOpen},
	{From: HalfOpen, To: Open},
	{From: HalfOpen, To: Closed},
}

// ErrOpen is what errors.Is finds in every refusal.
var ErrOpen = errors.New("breaker does not permit the call")

// OpenError is the refusal of a call. One value serves every call of an open period: a refusal allocates nothing.
type OpenError struct {
	Breaker string // its configured name
	State   State  // Open, or HalfOpen when all permits are taken
	// Until is the instant after which a call is let through again. Zero when half-open: that depends on the
	// calls on probation.
	Until time.Time

	now func() time.Time
}

// RetryIn is how long it is until the next call may be let through, 0 when nobody can tell or it is due.
func (e *OpenError) RetryIn() time.Duration {
	if e.Until.IsZero() || e.now == nil {
		return 0
	}
	return max(0, e.Until.Sub(e.now()))
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("breaker %s is %s", e.Breaker, e.State)
}

// Is makes errors.Is(err, ErrOpen) true.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }
