package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeProcess keeps what was done to it in a log that all replicas share.
type fakeProcess struct {
	name string
	log  *actions
	fail string // the action that fails
	hang string // the action that waits for its context
	then func() // called after each action
}

type actions struct {
	mu   sync.Mutex
	list []string
}

func (a *actions) add(s string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, s)
}

func (a *actions) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.list)
}

func (p *fakeProcess) do(ctx context.Context, what string) error {
	if p.hang == what {
		<-ctx.Done()
		return ctx.Err()
	}
	if p.fail == what {
		return errors.New(what + " went wrong")
	}
	p.log.add(what + " " + p.name)
	if p.then != nil {
		p.then()
	}
	return ctx.Err()
}

func (p *fakeProcess) Name() string                        { return p.name }
func (p *fakeProcess) Kill(ctx context.Context) error      { return p.do(ctx, "kill") }
func (p *fakeProcess) Terminate(ctx context.Context) error { return p.do(ctx, "terminate") }
func (p *fakeProcess) Start(ctx context.Context) error     { return p.do(ctx, "start") }
func (p *fakeProcess) Pause() error                        { return p.do(context.Background(), "pause") }
func (p *fakeProcess) Resume() error                       { return p.do(context.Background(), "resume") }

func replicas(n int) ([]*fakeProcess, *actions) {
	log := &actions{}
	var ps []*fakeProcess
	for i := range n {
		ps = append(ps, &fakeProcess{name: fmt.Sprintf("users/%d", i+1), log: log})
	}
	return ps, log
}

func processEnv[P Process](ps []P) Env {
	return Env{
		Link: func(string) *Link { return nil },
		Processes: func(string) []Process {
			var all []Process
			for _, p := range ps {
				all = append(all, p)
			}
			return all
		},
	}
}

func strike[P Process](t *testing.T, ps []P, spec Spec) (Injection, error) {
	t.Helper()
	spec.Target = "users"
	f, err := spec.Fault(processEnv(ps))
	if err != nil {
		t.Fatal(err)
	}
	// The context of an injection may well end with it.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return f.Inject(ctx)
}

func wantLog(t *testing.T, log *actions, want ...string) {
	t.Helper()
	got := log.all()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKillRestartsAfterTheDelay(t *testing.T) {
	ps, log := replicas(2)
	in, err := strike(t, ps, Spec{Kill: &Kill{Restart: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	wantLog(t, log, "kill users/1", "kill users/2")
	eventually(t, "both are started again while the fault acts", func() bool { return len(log.all()) == 4 })
	heal(t, in)
	wantLog(t, log, "kill users/1", "kill users/2", "start users/1", "start users/2")
	if got := in.Touched(); got.Connections != 2 {
		t.Errorf("touched %+v", got)
	}
}

func TestHealDoesNotWaitForTheRestartDelay(t *testing.T) {
	for _, restart := range []time.Duration{0, time.Hour} {
		ps, log := replicas(2)
		in, err := strike(t, ps, Spec{Kill: &Kill{Restart: restart, Replica: 2}})
		if err != nil {
			t.Fatal(err)
		}
		wantLog(t, log, "kill users/2")
		heal(t, in)
		wantLog(t, log, "kill users/2", "start users/2")
	}
}

func TestHealFailsLoudly(t *testing.T) {
	for name, c := range map[string]struct {
		spec Spec
		fail string
		hang string
		want string
	}{
		"kill":         {spec: Spec{Kill: &Kill{}}, fail: "start", want: "start users/1: start went wrong"},
		"kill hangs":   {spec: Spec{Kill: &Kill{}}, hang: "start", want: "start users/1"},
		"pause":        {spec: Spec{Pause: &Pause{}}, fail: "resume", want: "resume users/1: resume went wrong"},
		"restart":      {spec: Spec{Restart: &Restart{}}, fail: "terminate", want: "terminate users/1: terminate went wrong"},
		"restart hung": {spec: Spec{Restart: &Restart{}}, hang: "start", want: "start users/1"},
	} {
		t.Run(name, func(t *testing.T) {
			ps, _ := replicas(1)
			ps[0].fail, ps[0].hang = c.fail, c.hang
			in, err := strike(t, ps, c.spec)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if c.hang != "" {
				ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
			}
			defer cancel()
			if err := in.Heal(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestInjectThatFailsLeavesNothingBroken(t *testing.T) {
	ps, log := replicas(3)
	ps[1].fail = "pause"
	if _, err := strike(t, ps, Spec{Pause: &Pause{}}); err == nil || !strings.Contains(err.Error(), "users/2") {
		t.Errorf("got %v", err)
	}
	// The one that failed is resumed as well: it may have stopped all the same.
	wantLog(t, log, "pause users/1", "resume users/1", "resume users/2")

	ps, log = replicas(2)
	ps[1].fail = "kill"
	if _, err := strike(t, ps, Spec{Kill: &Kill{}}); err == nil || !strings.Contains(err.Error(), "users/2") {
		t.Errorf("got %v", err)
	}
	wantLog(t, log, "kill users/1", "start users/1")
}

func TestRestartRollsThroughTheReplicas(t *testing.T) {
	ps, log := replicas(3)
	in, err := strike(t, ps, Spec{Restart: &Restart{}})
	if err != nil {
		t.Fatal(err)
	}
	heal(t, in)
	want := []string{"terminate users/1", "start users/1", "terminate users/2", "start users/2", "terminate users/3", "start users/3"}
	if got := log.all(); !slices.Equal(got, want) {
		t.Errorf("got %q, want one after the other", got)
	}
	if got := in.Touched(); got.Connections != 3 {
		t.Errorf("touched %+v", got)
	}
}

func TestRestartStopsAtAReplicaThatDoesNotComeBack(t *testing.T) {
	ps, log := replicas(3)
	ps[0].fail = "start"
	in, err := strike(t, ps, Spec{Restart: &Restart{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Heal(context.Background()); err == nil {
		t.Error("no error")
	}
	wantLog(t, log, "terminate users/1")
}

// Replicas are counted from 1, whatever number is in their names.
func TestReplicasAreCountedFromOne(t *testing.T) {
	for i := range 3 {
		ps, log := replicas(3)
		for j, p := range ps {
			p.name = fmt.Sprintf("users/%d", j)
		}
		in, err := strike(t, ps, Spec{Pause: &Pause{Replica: i + 1}})
		if err != nil {
			t.Fatal(err)
		}
		heal(t, in)
		wantLog(t, log, "pause "+ps[i].name, "resume "+ps[i].name)
	}
}

func TestUnknownPlaces(t *testing.T) {
	ps, _ := replicas(2)
	for _, spec := range []Spec{
		{Target: "users", Pause: &Pause{Replica: 3}},
		{Link: "a->b", Blackhole: &Blackhole{}},
		{Target: "users", Pause: &Pause{Replica: -1}},
	} {
		if _, err := spec.Fault(processEnv(ps)); err == nil {
			t.Errorf("%s: no error", &spec)
		}
	}
	if _, err := (&Spec{Target: "prod", Kill: &Kill{}}).Fault(processEnv[*fakeProcess](nil)); err == nil {
		t.Error("a target without processes: no error")
	}
}
