package speed

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// tool is a load generator in one of its modes.
type tool struct {
	name string
	peer string // whose binary it is: of package peer, or one of the two below
	// files are what it reads, by name, written into the directory that it runs in.
	files func(job) map[string]string
	args  func(job) []string
	env   []string
	codes []int // exit codes besides 0 that say nothing against the figures
	// pace gives the calls a second that it makes, where the job leaves that open,
	// by what the others have reached so far; nil: the job says it.
	pace func(done map[string]rounds) int
	// read takes from the directory, after its end, what it says of itself.
	read func(ctx context.Context, binary, dir string) (said, error)
}

// Binaries that are not peers.
const (
	ordealBinary = "ordeal"
	selfBinary   = "engine" // this program, as Engine
)

// job is what a tool is to do.
type job struct {
	addr    string // host:port
	clients int    // calls in flight; connections, too, with HTTP/1.1
	conns   int    // connections of gRPC
	rate    int    // calls a second, open model; 0 for as many as there can be, closed model
	paced   bool   // open model, and each tool has a rate of its own
	cpus    int    // processors that the tool may run on
	lasts   time.Duration
	warm    time.Duration // of that, not measured
}

// of is what one tool has to do of it.
func (j job) of(t *tool, done map[string]rounds) job {
	if t.pace != nil {
		j.rate = t.pace(done)
	}
	return j
}

// bunch is the time after a call within which the next one comes in a burst; 0
// where the rate is not fixed for all. Half of what is between two calls that come
// evenly: a server takes the second of two that came together only when it is
// through with the first, at the default rate after up to a quarter of that.
func (j job) bunch() time.Duration {
	if j.rate == 0 || j.paced {
		return 0
	}
	return time.Second / time.Duration(2*j.rate)
}

// mostInFlight caps the calls in flight of an open model as Ordeal does where a
// scenario says nothing: without a cap, vegeta starts a worker for each call
// that is due, and a short stall can be its end.
const mostInFlight = 1000

// said is what a tool says of itself at its end.
type said struct {
	calls  int64
	failed int64 // of these
	p99    time.Duration
	noP99  bool          // it measures none
	lag    time.Duration // p99 of how late calls were sent, after the warm-up; 0 where it is not told
}

// check holds what a tool said against what the server saw.
func (s said) check(arrived int64, j job) error {
	if s.failed > 0 {
		return fmt.Errorf("%d of its %d calls failed", s.failed, s.calls)
	}
	if !s.noP99 && s.p99 <= 0 {
		return fmt.Errorf("it reports a p99 of %v", s.p99)
	}
	// What is in flight at the end, and what warms connections up, some tools
	// leave out.
	if slack := int64(4 * j.clients); s.calls < arrived-slack || s.calls > arrived+slack {
		return fmt.Errorf("it reports %d calls, and %d arrived", s.calls, arrived)
	}
	return nil
}

// mayEnd reports whether the tool may end with the exit code.
func (t *tool) mayEnd(code int) bool { return code == 0 || slices.Contains(t.codes, code) }

func (j job) url() string { return "http://" + j.addr + "/" }
