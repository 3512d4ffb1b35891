package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// fakeCluster is a cluster of one Deployment behind the target "gateway". Each
// look at its Pods is a step in its time: what was deleted is gone a step later,
// and Pods that miss are made, and are Ready two steps after they were made.
type fakeCluster struct {
	mu       sync.Mutex
	pods     []*fakePod
	replicas int
	made     int
	cordoned map[string]bool
	broken   bool // the template: new Pods fail
	budget   int  // evictions that are still allowed; -1 for no budget
	log      []string

	gates     []string
	lazy      bool              // nothing is made, nor follows its gate
	gateless  bool              // Ready does not follow the gate
	fail      string            // the call that fails
	afterCall func(call string) // called after each that changes something
}

type fakePod struct {
	Pod
	out bool // of rotation, by its gate
	age int
}

func newFakeCluster(replicas int, nodes ...string) *fakeCluster {
	c := &fakeCluster{replicas: replicas, budget: -1, cordoned: map[string]bool{}, gates: []string{RotationGate}}
	for _, node := range nodes {
		c.cordoned[node] = false
	}
	if len(nodes) == 0 {
		c.cordoned["n1"] = false
	}
	for range 4 {
		c.step()
	}
	return c
}

// step lets a moment pass.
func (c *fakeCluster) step() {
	if c.lazy {
		return
	}
	c.pods = slices.DeleteFunc(c.pods, func(p *fakePod) bool { return p.Ending })
	for len(c.pods) < c.replicas {
		c.made++
		p := &fakePod{Pod: Pod{Name: fmt.Sprintf("gateway-%d", c.made), UID: fmt.Sprintf("uid-%d", c.made), Gates: c.gates, Failing: c.broken}}
		c.pods = append(c.pods, p)
	}
	for _, p := range c.pods {
		if p.Node == "" {
			p.Node = c.free()
		}
		if p.Node != "" {
			p.age++
		}
		p.Ready = p.age > 2 && !p.Failing && (!p.out || c.gateless)
	}
}

// free is the node with the fewest Pods that takes any.
func (c *fakeCluster) free() (free string) {
	fewest := 0
	for _, node := range []string{"n1", "n2", "n3"} {
		if on, known := c.cordoned[node]; !known || on {
			continue
		}
		n := 0
		for _, p := range c.pods {
			if p.Node == node {
				n++
			}
		}
		if free == "" || n < fewest {
			free, fewest = node, n
		}
	}
	return free
}

func (c *fakeCluster) call(name string, what string) error {
	if c.fail == name {
		return errors.New(name + " went wrong")
	}
	c.log = append(c.log, name+" "+what)
	if c.afterCall != nil {
		c.afterCall(name)
	}
	return nil
}

func (c *fakeCluster) calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

func (c *fakeCluster) Pods(_ context.Context, target string) ([]Pod, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if target != "" && target != "gateway" {
		return nil, nil
	}
	c.step()
	var all []Pod
	for _, p := range c.pods {
		all = append(all, p.Pod)
	}
	return all, nil
}

func (c *fakeCluster) find(p Pod) *fakePod {
	i := slices.IndexFunc(c.pods, func(f *fakePod) bool { return f.UID == p.UID })
	if i < 0 {
		return &fakePod{}
	}
	return c.pods[i]
}

func (c *fakeCluster) DeletePod(_ context.Context, p Pod, grace time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.find(p).Ending = true
	return c.call("delete", fmt.Sprintf("%s %s", p.Name, grace))
}

func (c *fakeCluster) EvictPod(_ context.Context, p Pod) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.budget == 0 {
		return fmt.Errorf("evict %s: %w", p.Name, ErrBudget)
	}
	c.budget--
	c.find(p).Ending = true
	return c.call("evict", p.Name)
}

func (c *fakeCluster) SetPodCondition(_ context.Context, p Pod, condition string, ok bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.find(p).out = !ok
	return c.call("condition", fmt.Sprintf("%s %s %t", p.Name, condition, ok))
}

func (c *fakeCluster) PausePod(_ context.Context, p Pod) (func() error, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("pause", p.Name); err != nil {
		return nil, err
	}
	c.find(p).out = true
	return func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.find(p).out = false
		return c.call("resume", p.Name)
	}, nil
}

func (c *fakeCluster) Cordon(_ context.Context, node string, on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cordoned[node] = on
	return c.call("cordon", fmt.Sprintf("%s %t", node, on))
}

func (c *fakeCluster) Cordoned(_ context.Context, node string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	on, known := c.cordoned[node]
	if !known {
		return false, fmt.Errorf("there is no node %s", node)
	}
	return on, nil
}

func (c *fakeCluster) Deployment(context.Context, string) (Deployment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step()
	settled := len(c.pods) == c.replicas && !slices.ContainsFunc(c.pods, func(p *fakePod) bool { return !p.serves() })
	return Deployment{Name: "gateway", Replicas: c.replicas, Settled: settled}, nil
}

func (c *fakeCluster) BreakTemplate(_ context.Context, deployment string) (func(context.Context) error, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("break", deployment); err != nil {
		return nil, err
	}
	c.broken = true
	c.pods[0].Ending = true
	return func(context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := c.call("restore", deployment); err != nil {
			return err
		}
		c.broken = false
		for _, p := range c.pods {
			p.Ending = p.Ending || p.Failing
		}
		return nil
	}, nil
}
