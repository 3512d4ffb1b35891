package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// Engine makes the calls of one load.
type Engine interface {
	// Run makes the calls of the schedule and gives a sample of each to out. It
	// returns when every call that was issued has ended and has been recorded,
	// exactly once. When ctx is done no further call is issued, and those in
	// flight end within their timeout at the latest; that is not an error. The
	// schedule must be that of the engine's own Spec; start is where its timeline
	// starts, as an offset on Env.Clock. Run may be called ahead of start: gRPC
	// connections are then made before the first call, which would pay for them
	// otherwise.
	Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error
}

// Env is what an engine needs to know of the run that it is part of.
type Env struct {
	Index int      // Sample.Load
	Addrs []string // the target's replicas: host:port, or a URL for another scheme than http
	// Members are the replicas where they come and go: Addrs are then those that
	// were there before the run. Nil where they stay.
	Members Members
	Clock   evidence.Clock // of all evidence
	End     time.Duration  // the length of the timeline: from its start + End on, nothing is issued
	Dir     string         // where data files are
	Seed    uint64         // of the random values in templates

	// Issued counts the calls that were issued so far, for who watches the run;
	// nil where nobody does. A call counts before it is sent.
	Issued *atomic.Int64
}

// Engine prepares the engine of the load: files are read, templates are tried
// out and tokens are signed here, so that Run has nothing left to fail on but
// the target. An engine is good for one Run.
func (s *Spec) Engine(env Env) (Engine, error) {
	if len(env.Addrs) == 0 {
		return nil, fmt.Errorf("load %s: target %s has no address", s.Name, s.Target())
	}
	var e Engine
	var err error
	switch {
	case s.HTTP != nil:
		e, err = newHTTPEngine(s, env)
	case s.GRPC != nil:
		e, err = newGRPCEngine(s, env)
	case s.Trickle != nil:
		e, err = newTrickleEngine(s, env)
	default:
		err = errors.New("none of http, grpc and trickle is set")
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", s.Name, err)
	}
	return e, nil
}

// grace is how long calls in flight may go on after the run was cancelled,
// where the engine can end them.
const grace = time.Second

// outlive gives a context that ends a grace after ctx does, or when end is
// called.
func outlive(ctx context.Context) (late context.Context, end func()) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, func() { stop(); cancel() }
}
