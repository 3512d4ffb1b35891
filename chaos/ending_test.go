package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// strikeIn injects a fault into users in a run of its own, which end ends.
func strikeIn(t *testing.T, ps []*fakeProcess, spec Spec) (in Injection, end func()) {
	t.Helper()
	env := processEnv(ps)
	env.Run, end = context.WithCancel(context.Background())
	t.Cleanup(end)
	spec.Target = "users"
	f, err := spec.Fault(env)
	if err != nil {
		t.Fatal(err)
	}
	if in, err = f.Inject(env.Run); err != nil {
		t.Fatal(err)
	}
	return in, end
}

// TestARunThatEndsWaitsForNoRestart: a target that is about to be ended is not
// started first, and one that does not come up holds nothing up.
func TestARunThatEndsWaitsForNoRestart(t *testing.T) {
	for name, c := range map[string]struct {
		spec  Spec
		hang  string
		after string // the run ends once this was done
		want  []string
	}{
		"killed":              {Spec{Kill: &Kill{}}, "", "kill users/1", []string{"kill users/1"}},
		"killed for a while":  {Spec{Kill: &Kill{Restart: time.Hour}}, "", "kill users/1", []string{"kill users/1"}},
		"does not come up":    {Spec{Kill: &Kill{Restart: time.Nanosecond}}, "start", "kill users/1", []string{"kill users/1"}},
		"restart hangs":       {Spec{Restart: &Restart{}}, "start", "terminate users/1", []string{"terminate users/1"}},
		"paused, and resumed": {Spec{Pause: &Pause{}}, "", "pause users/1", []string{"pause users/1", "resume users/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			ps, log := replicas(1)
			ps[0].hang = c.hang
			in, end := strikeIn(t, ps, c.spec)
			eventually(t, c.after, func() bool { return len(log.all()) == 1 && log.all()[0] == c.after })
			end()
			heal(t, in)
			wantLog(t, log, c.want...)
		})
	}
}

// TestAFailureIsToldOnce: as long as the run goes on, what does not come up is
// an error, and the process is named once.
func TestAFailureIsToldOnce(t *testing.T) {
	ps, _ := replicas(1)
	ps[0].fail = "start"
	in, _ := strikeIn(t, ps, Spec{Kill: &Kill{}})
	if err := in.Heal(context.Background()); err == nil || err.Error() != "start users/1: start went wrong" {
		t.Errorf("got %v", err)
	}
}

// TestInjectIsCutShort: an injection whose context ends in the middle of it
// leaves nothing broken, and says why.
func TestInjectIsCutShort(t *testing.T) {
	for name, c := range map[string]struct {
		spec Spec
		want []string
	}{
		"kill":  {Spec{Kill: &Kill{}}, []string{"kill users/1", "kill users/2", "start users/1", "start users/2"}},
		"pause": {Spec{Pause: &Pause{}}, []string{"pause users/1", "pause users/2", "resume users/1", "resume users/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			ps, log := replicas(2)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for _, p := range ps {
				p.then = cancel
			}
			c.spec.Target = "users"
			f, err := c.spec.Fault(processEnv(ps))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Inject(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			wantLog(t, log, c.want...)
		})
	}
}

func TestInjectOnALinkIsCutShort(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	l.giveUpAfter = 300 * time.Millisecond
	cut := 0
	for range 60 {
		c := connect(t, l.Addrs()[0])
		if _, err := exchange(c, 10, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		spec := Spec{Link: l.Name(), Latency: &Latency{Delay: 20 * time.Millisecond}}
		f, err := spec.Fault(envOf(l))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.Int64N(int64(time.Millisecond))))
		in, err := f.Inject(ctx)
		switch {
		case err == nil:
			heal(t, in)
		case errors.Is(err, context.DeadlineExceeded):
			cut++
		default:
			t.Error(err)
		}
		cancel()
		if n := len(l.program.Load().acting); n != 0 {
			t.Fatalf("%d faults act", n)
		}
		if _, err := exchange(c, 100, 10*time.Second); err != nil {
			t.Fatalf("the link is broken: %v", err)
		}
		c.Close()
	}
	t.Logf("%d of 60 injections were cut short", cut)
}
