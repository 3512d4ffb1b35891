package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Kill ends the processes of a target at once (SIGKILL) and starts them again
// after a delay, as a supervisor would. Healing waits until all are ready.
type Kill struct {
	Restart time.Duration `yaml:"restart" doc:"how long a process stays dead before it is started again; until the end of the phase unless given"`
	Replica int           `yaml:"replica" doc:"the one replica that is killed, counted from 1; all unless given"`
}

// Validate reports attributes that make no sense.
func (k *Kill) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "restart", k.Restart)
	checkReplica(bad, k.Replica)
}

func (k *Kill) String() string {
	s := "kill"
	if k.Restart > 0 {
		s += ", restart after " + k.Restart.String()
	}
	return s + numbered(k.Replica)
}

func numbered(replica int) string {
	if replica == 0 {
		return ""
	}
	return fmt.Sprintf(", replica %d", replica)
}

func (k *Kill) replica() int { return k.Replica }

// killWithin bounds the wait for a process that was sent SIGKILL.
const killWithin = 10 * time.Second

func (k *Kill) strike(ctx context.Context, s scene) (func(context.Context) error, error) {
	life, end := s.lifetime(ctx) // the restart outlives the injection
	killed, err := s.killAll(ctx)
	start := func() error {
		if s.run.Err() != nil {
			return nil // the process is about to be ended
		}
		return s.excuse(each(killed, "start", func(p Process) error { return p.Start(life) }))
	}
	if err != nil {
		defer end()
		return nil, errors.Join(err, start())
	}
	healing := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		k.stayDead(healing)
		started <- start()
	}()
	return func(ctx context.Context) error {
		defer end()
		defer context.AfterFunc(ctx, end)() // Start gives up when healing has to
		close(healing)
		return <-started
	}, nil
}

// killAll kills all processes, and gives those that are dead then. It is not cut
// short by ctx: what was sent SIGKILL dies, waited for or not.
func (s scene) killAll(ctx context.Context) (killed []Process, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killWithin)
	defer cancel()
	var mu sync.Mutex
	err = each(s.procs, "kill", func(p Process) error {
		if err := p.Kill(ctx); err != nil {
			return err
		}
		s.count.Add(1)
		mu.Lock()
		defer mu.Unlock()
		killed = append(killed, p)
		return nil
	})
	return killed, err
}

// stayDead waits for as long as the processes are to stay dead: no longer than
// the fault lasts.
func (k *Kill) stayDead(healing <-chan struct{}) {
	if k.Restart == 0 {
		<-healing
		return
	}
	t := time.NewTimer(k.Restart)
	defer t.Stop()
	select {
	case <-t.C:
	case <-healing:
	}
}
