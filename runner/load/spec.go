package load

import (
	"time"
)

// Spec is one load of a scenario: what is called, and how often.
type Spec struct {
	Name   string `yaml:"-"`
	Secure bool   `yaml:"-"` // the target speaks TLS

	HTTP    *HTTP    `yaml:"http" oneof:"kind" doc:"HTTP requests"`
	GRPC    *GRPC    `yaml:"grpc" oneof:"kind" doc:"gRPC calls of any of the four kinds"`
	Trickle *Trickle `yaml:"trickle" oneof:"kind" doc:"slow clients, that should be cut off"`

	Rate     *Curve        `yaml:"rate" doc:"open model: calls start at this rate, whatever the answers take"`
	Arrivals string        `yaml:"arrivals" enum:"uniform,poisson" doc:"open model: evenly spaced (when absent), or at random as from many independent users"`
	Clients  int           `yaml:"clients" doc:"closed model: this many clients, each making one call after the other"`
	Timeout  time.Duration `yaml:"timeout" default:"5s" doc:"the longest that a call may take"`
	Workers  int           `yaml:"workers" doc:"open model: the most calls in flight; 1000 when absent"`
}

// defaultWorkers caps the calls in flight where the scenario does not.
const (
	defaultWorkers = 1000
	maxWorkers     = 100000
)

// Validate reports settings that contradict each other.
func (s *Spec) Validate(bad func(field, format string, args ...any)) {
	switch {
	case s.Rate == nil && s.Clients == 0:
		bad("", "a load needs rate (open model: calls start on schedule) or clients (closed model: one call after the other)")
	case s.Rate != nil && s.Clients != 0:
		bad("clients", "a load has rate or clients, not both")
	}
	if s.Clients < 0 || s.Clients > maxWorkers {
		bad("clients", "want 1 to %d clients, not %d", maxWorkers, s.Clients)
	}
	if s.Workers < 0 || s.Workers > maxWorkers {
		bad("workers", "want 1 to %d workers, not %d", maxWorkers, s.Workers)
	}
	if s.Clients > 0 && s.Workers > 0 {
		bad("workers", "a closed model has no workers besides its clients")
	}
	if s.Clients > 0 && s.Arrivals != "" {
		bad("arrivals", "a closed model has no schedule: its arrivals follow from the answers")
	}
	checkTime(bad, "timeout", s.Timeout)
	if s.GRPC != nil && s.GRPC.For > 0 && s.timeout() <= s.GRPC.For {
		bad("timeout", "a stream that lasts %v needs a timeout above that, not %v", s.GRPC.For, s.timeout())
	}
}

// checkTime reports a time that is negative; zero is one that is not given.
func checkTime(bad func(field, format string, args ...any), field string, d time.Duration) {
	if d < 0 {
		bad(field, "want a time above 0s, not %v", d)
	}
}

// Closed reports whether the load follows the closed model.
func (s *Spec) Closed() bool { return s.Clients > 0 }

// Target is the name of the target that the load calls; "" when the spec has no kind.
func (s *Spec) Target() string {
	switch {
	case s.HTTP != nil:
		return s.HTTP.Target
	case s.GRPC != nil:
		return s.GRPC.Target
	case s.Trickle != nil:
		return s.Trickle.Target
	}
	return ""
}

// inFlight is the cap on calls in flight.
func (s *Spec) inFlight() int {
	switch {
	case s.Clients > 0:
		return s.Clients
	case s.Workers > 0:
		return s.Workers
	}
	return defaultWorkers
}

// timeout is the longest that a call may take.
func (s *Spec) timeout() time.Duration {
	switch {
	case s.Trickle != nil:
		return s.Trickle.hold()
	case s.Timeout > 0:
		return s.Timeout
	}
	return 5 * time.Second
}
