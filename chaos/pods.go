package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// clusterKind is a kind of fault that acts on the Pods of a target, or on a node.
type clusterKind interface {
	kind
	// hit starts the fault. It gives what heals it, called once.
	hit(ctx context.Context, g ground) (func(context.Context) error, error)
}

// ground is what a fault in a cluster acts on.
type ground struct {
	Cluster
	scene               // without processes; its count is of Pods
	target, node string // one of them is given
	seed         uint64 // of this fault
}

// clusterFault is a fault of any kind in a cluster.
type clusterFault struct {
	name   string
	kind   clusterKind
	ground ground
}

func (f *clusterFault) String() string { return f.name }

// Inject hits the Pods, and returns once all are hit.
func (f *clusterFault) Inject(ctx context.Context) (Injection, error) {
	return injectWith(ctx, func(in *struckInjection) (func(context.Context) error, error) {
		g := f.ground
		g.count = &in.count
		return f.kind.hit(ctx, g)
	})
}

// Count is a number of Pods, or all of them.
type Count int

// All is the count that takes every Pod.
const All Count = -1

// UnmarshalText reads a number such as "2", or "all".
func (c *Count) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*c = All
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("want a number of 1 or more, or \"all\", not %q", text)
	}
	*c = Count(n)
	return nil
}

// MarshalText writes the count as UnmarshalText reads it.
func (c Count) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String writes the count; zero stands for one that was not given, which is 1.
func (c Count) String() string {
	switch c {
	case All:
		return "all"
	case 0:
		return "1"
	}
	return strconv.Itoa(int(c))
}

// Examples gives counts as a person writes them.
func (Count) Examples() []string { return []string{"1", "2", "all"} }

func checkCount(bad badFunc, c Count) {
	if c < All {
		bad("count", "want a number of 1 or more, or all, not %d", int(c))
	}
}

// draw chooses so many of the Pods that serve, by the seed of the fault. It
// fails where there are fewer.
func (g ground) draw(pods []Pod, c Count) ([]Pod, error) {
	serving := serving(pods)
	want := max(1, int(c))
	switch {
	case len(serving) == 0:
		return nil, fmt.Errorf("%s has no Pod that is Ready", g.place())
	case c == All:
		return serving, nil
	case want > len(serving):
		return nil, fmt.Errorf("%s has only %d Ready of the %d Pods asked for", g.place(), len(serving), want)
	}
	type ticket struct {
		pod  Pod
		drew uint64
	}
	tickets := make([]ticket, len(serving))
	for i, p := range serving {
		tickets[i] = ticket{p, draw(g.seed, uint64(i))}
	}
	slices.SortFunc(tickets, func(a, b ticket) int { return cmp.Compare(a.drew, b.drew) })
	chosen := make([]Pod, want)
	for i := range chosen {
		chosen[i] = tickets[i].pod
	}
	return chosen, nil
}

// place names where the fault acts.
func (g ground) place() string {
	if g.node != "" {
		return "node " + g.node
	}
	return g.target
}

func serving(pods []Pod) []Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p Pod) bool { return !p.serves() })
}

// lookEvery is how often a fault looks whether Pods are as it wants them.
const lookEvery = 100 * time.Millisecond

// until looks again and again until done says yes or fails. What failed for want
// of an answer is asked again. The run's end ends it without an error: then
// nobody waits for Pods any more.
func (g ground) until(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-g.run.Done():
			return nil
		case <-ctx.Done():
			if err == nil {
				err = context.Cause(ctx)
			}
			return fmt.Errorf("wait until %s: %w", what, err)
		}
	}
}

// untilBack waits until as many Pods are in rotation as before, or as are wanted
// if that has become fewer meanwhile: an autoscaler may have said so. Without a
// target fewer are enough when no Pod is on its way.
func (g ground) untilBack(ctx context.Context, before int) error {
	return g.until(ctx, fmt.Sprintf("%d Pods of %s are Ready again", before, g.place()), func() (bool, error) {
		pods, err := g.Pods(ctx, g.target)
		if err != nil {
			return false, err
		}
		there := len(serving(pods))
		switch {
		case there >= before:
			return true, nil
		case g.target == "":
			return there > 0 && !slices.ContainsFunc(pods, Pod.coming), nil
		}
		d, err := g.Deployment(ctx, g.target)
		if err != nil {
			return false, ignoring(err, ErrNoDeployment)
		}
		return there >= d.Replicas, nil
	})
}

// ignoring drops an error that is the one given.
func ignoring(err, none error) error {
	if errors.Is(err, none) {
		return nil
	}
	return err
}

// struckInjection is a fault that acts on processes or Pods.
type struckInjection struct {
	count atomic.Int64
	heal  func(context.Context) error
}

func (in *struckInjection) Heal(ctx context.Context) error { return in.heal(ctx) }

// Touched counts processes, or Pods, as connections.
func (in *struckInjection) Touched() evidence.Touched {
	return evidence.Touched{Connections: in.count.Load()}
}

// injectWith strikes, and heals again at once where ctx ended meanwhile.
func injectWith(ctx context.Context, strike func(*struckInjection) (func(context.Context) error, error)) (Injection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := &struckInjection{}
	heal, err := strike(in)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
		defer cancel()
		return nil, errors.Join(err, heal(healing))
	}
	in.heal = heal
	return in, nil
}
