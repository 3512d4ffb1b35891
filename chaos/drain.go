package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Drain empties a node, as before its maintenance: no new Pods get there, and
// those of the run's namespace are evicted one after the other, no faster than
// their PodDisruptionBudgets allow. Healing lets Pods there again, and waits until
// as many are Ready as before.
type Drain struct{}

// Validate has nothing to report.
func (*Drain) Validate(func(field, format string, args ...any)) {}

func (*Drain) String() string { return "drain" }

// drains marks the kind that may act on a node.
func (*Drain) drains() {}

func (*Drain) hit(ctx context.Context, g ground) (func(context.Context) error, error) {
	before, err := g.Pods(ctx, "")
	if err != nil {
		return nil, err
	}
	if g.node == "" {
		if g.node, err = g.home(ctx); err != nil {
			return nil, err
		}
	}
	was, err := g.Cordoned(ctx, g.node)
	if err != nil {
		return nil, err
	}
	if was {
		return nil, fmt.Errorf("node %s takes no Pods already: somebody else is at it", g.node)
	}
	g.target = "" // from here on it is about all Pods of the namespace
	open := func(ctx context.Context) error {
		if err := g.Cordon(ctx, g.node, false); err != nil {
			return err
		}
		return g.untilBack(ctx, len(serving(before)))
	}
	if err := g.Cordon(ctx, g.node, true); err != nil {
		return nil, errors.Join(err, g.undo(ctx, open))
	}
	left, err := g.evictSome(ctx)
	if err != nil {
		return nil, errors.Join(err, g.undo(ctx, open))
	}
	life, end := g.lifetime(ctx) // evictions go on after the injection
	done := make(chan error, 1)
	go func() { done <- g.evictRest(life, left) }()
	return func(ctx context.Context) error {
		end()
		return errors.Join(<-done, open(ctx))
	}, nil
}

// home is the node with the most Pods of the target, the first by name of several.
func (g ground) home(ctx context.Context) (string, error) {
	pods, err := g.Pods(ctx, g.target)
	if err != nil {
		return "", err
	}
	on := map[string]int{}
	for _, p := range serving(pods) {
		on[p.Node]++
	}
	var nodes []string
	for node := range on {
		nodes = append(nodes, node)
	}
	if len(nodes) == 0 {
		return "", fmt.Errorf("no node has a Ready Pod of %s", g.target)
	}
	return slices.MinFunc(nodes, func(a, b string) int {
		return cmp.Or(cmp.Compare(on[b], on[a]), cmp.Compare(a, b))
	}), nil
}

// evictAgain is how long a drain waits before it asks again for what a budget
// did not allow.
const evictAgain = 250 * time.Millisecond

// evictRest goes on evicting Pods until the node has none left that could be
// moved, or ctx ends: a budget may keep some for as long as the fault lasts, which
// is no error.
func (g ground) evictRest(ctx context.Context, left int) error {
	again := time.NewTicker(evictAgain)
	defer again.Stop()
	for left > 0 {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
		var err error
		if left, err = g.evictSome(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// evictSome asks once for every Pod of the node, and tells how many are still
// there unasked.
func (g ground) evictSome(ctx context.Context) (left int, err error) {
	pods, err := g.Pods(ctx, "")
	if err != nil {
		return 0, err
	}
	for _, p := range pods {
		if p.Node != g.node || p.Ending || p.Pinned {
			continue
		}
		switch err := g.EvictPod(ctx, p); {
		case errors.Is(err, ErrBudget):
			left++
		case err != nil:
			return left, err
		default:
			g.count.Add(1)
		}
	}
	return left, nil
}
