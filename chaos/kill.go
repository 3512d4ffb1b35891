package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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

func (k *Kill) strike(ctx context.Context, procs []Process, count *atomic.Int64) (func(context.Context) error, error) {
	// The restart outlives the cancellation of the run, but not the heal.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var killed []Process
	err := each(procs, "kill", func(p Process) error {
		if err := p.Kill(ctx); err != nil {
			return err
		}
		count.Add(1)
		mu.Lock()
		defer mu.Unlock()
		killed = append(killed, p)
		return nil
	})
	start := func() error {
		return each(killed, "start", func(p Process) error { return p.Start(life) })
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
