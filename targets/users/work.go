package users

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	userv1 "ordeal/targets/api/user/v1"
)

// Cost is what a call takes on top of what it does.
type Cost struct {
	CPU   time.Duration // of one processor, however busy the machine is
	Sleep time.Duration // as if waiting for a database; ends early with the call's context
}

// Work is the cost of each method, by its name; "*" stands for those that are not named. A streaming method
// pays for each message: received by ImportUsers and Sync, sent by WatchUsers.
type Work map[string]Cost

// maxCost keeps a slip of the unit from stopping the service.
const maxCost = time.Minute

// String gives the form that Set reads, methods sorted.
func (w *Work) String() string {
	if w == nil {
		return ""
	}
	var parts []string
	for _, method := range slices.Sorted(maps.Keys(*w)) {
		c := (*w)[method]
		parts = append(parts, fmt.Sprintf("%s=cpu:%v,sleep:%v", method, c.CPU, c.Sleep))
	}
	return strings.Join(parts, ";")
}

// Set reads "GetUser=cpu:200us,sleep:1ms;*=sleep:0s" and replaces what was set before.
func (w *Work) Set(text string) error {
	work := make(Work)
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		method, costs, found := strings.Cut(part, "=")
		method = strings.TrimSpace(method)
		switch _, twice := work[method]; {
		case !found:
			return fmt.Errorf("%q: want METHOD=cpu:DURATION,sleep:DURATION", part)
		case twice:
			return fmt.Errorf("%s is named twice", method)
		case method != "*" && !slices.Contains(methods(), method):
			return fmt.Errorf("there is no method %q: want * or one of %s", method, strings.Join(methods(), ", "))
		}
		cost, err := parseCost(costs)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		work[method] = cost
	}
	*w = work
	return nil
}

func parseCost(text string) (Cost, error) {
	var c Cost
	for part := range strings.SplitSeq(text, ",") {
		kind, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		d, err := time.ParseDuration(value)
		if err != nil {
			return Cost{}, fmt.Errorf("%q: want cpu:DURATION or sleep:DURATION", part)
		}
		if d < 0 || d > maxCost {
			return Cost{}, fmt.Errorf("%s: want 0s to %v", part, maxCost)
		}
		switch kind {
		case "cpu":
			c.CPU = d
		case "sleep":
			c.Sleep = d
		default:
			return Cost{}, fmt.Errorf("%q: want cpu or sleep", kind)
		}
	}
	return c, nil
}

// methods are the names of the service's methods, in the order of the contract.
func methods() []string {
	var names []string
	list := userv1.File_user_v1_user_proto.Services().ByName("UserService").Methods()
	for i := range list.Len() {
		names = append(names, string(list.Get(i).Name()))
	}
	return names
}

// labour does the work: the costs by full method name, and a measured burner.
type labour struct {
	costs  map[string]Cost
	burner burner
}

func newLabour(w Work) *labour {
	l := &labour{costs: make(map[string]Cost)}
	anyCPU := false
	for _, method := range methods() {
		cost, named := w[method]
		if !named {
			cost = w["*"]
		}
		if cost != (Cost{}) {
			l.costs["/"+userv1.UserService_ServiceDesc.ServiceName+"/"+method] = cost
			anyCPU = anyCPU || cost.CPU > 0
		}
	}
	if anyCPU {
		l.burner = measure()
	}
	return l
}

// do pays for one call, or one message, of the method. The error is the context's.
func (l *labour) do(ctx context.Context, fullMethod string) error {
	if len(l.costs) == 0 {
		return nil
	}
	cost := l.costs[fullMethod]
	if err := l.burner.burn(ctx, cost.CPU); err != nil {
		return err
	}
	return sleep(ctx, cost.Sleep)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// burner turns processor time into a number of steps, so that a call costs the same work when others compete
// for the processor; looking at the clock would make it cheaper then.
type burner struct{ stepsPerSecond float64 }

const (
	measureRuns  = 8
	measureSteps = 1 << 20               // about a millisecond
	burnSlice    = 50 * time.Microsecond // between looks at the context
)

// measure takes the fastest of several runs: the one least disturbed.
func measure() burner {
	best := time.Duration(1<<63 - 1)
	for range measureRuns {
		start := time.Now()
		runtime.KeepAlive(spin(measureSteps))
		best = min(best, time.Since(start))
	}
	return burner{stepsPerSecond: measureSteps / best.Seconds()}
}

func (b burner) burn(ctx context.Context, d time.Duration) error {
	for d > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		slice := min(d, burnSlice)
		runtime.KeepAlive(spin(int(slice.Seconds() * b.stepsPerSecond)))
		d -= slice
	}
	return nil
}

// spin takes n steps of Marsaglia's xorshift generator, each of which needs the one before.
//
//go:noinline
func spin(n int) uint64 {
	x := uint64(88172645463325252)
	for range n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}
