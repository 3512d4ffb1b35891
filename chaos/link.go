package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// Link is the way from one target to another, through proxies.
type Link struct {
	spec  LinkSpec
	clock evidence.Clock
	out   evidence.Sink

	giveUpAfter time.Duration
	ports       ports
	program     atomic.Pointer[program]

	life context.Context // ends when the link is closed
	end  context.CancelFunc
	work sync.WaitGroup // accept loops, dials and connections

	accepted, active, bytesUp, bytesDown, calls, gaveUp atomic.Int64

	mu       sync.Mutex
	closed   bool
	conns    map[*connection]struct{}
	reported int64 // of gaveUp
}

// LinkStats counts what went through a link so far, over all its proxies.
type LinkStats struct {
	Connections int64 // accepted from callers
	Active      int64 // open to both sides now
	BytesUp     int64 // sent by callers into the link, whatever became of them
	BytesDown   int64 // sent back by the called
	Calls       int64 // HTTP/2 streams opened by callers, whatever became of them; other protocols count none
}

func openLink(ctx context.Context, spec LinkSpec, clock evidence.Clock, out evidence.Sink) (*Link, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l := &Link{
		spec: spec, clock: clock, out: out, giveUpAfter: giveUpTime,
		life: life, end: end, conns: map[*connection]struct{}{},
	}
	l.program.Store(&program{generation: 1, replaced: make(chan struct{})})
	if _, err := l.Follow(ctx, spec.Upstreams); err != nil {
		l.shut()
		return nil, errors.Join(err, l.wait(context.WithoutCancel(ctx)))
	}
	return l, nil
}

// Name is the link's name, as "gateway->users".
func (l *Link) Name() string { return l.spec.Name }

// Stats reads the counts; it is cheap and waits for nothing.
func (l *Link) Stats() LinkStats {
	return LinkStats{
		Connections: l.accepted.Load(), Active: l.active.Load(),
		BytesUp: l.bytesUp.Load(), BytesDown: l.bytesDown.Load(), Calls: l.calls.Load(),
	}
}

// add takes up a connection, unless the link is closed.
func (l *Link) add(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.conns[c] = struct{}{}
	l.active.Add(1)
	l.work.Add(1)
	return true
}

func (l *Link) remove(c *connection) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	l.active.Add(-1)
	l.work.Done()
}

// change puts a new program in the place of the old one and gives the
// connections that stand.
func (l *Link) change(edit func(p *program)) (*program, []*connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.program.Load()
	p := &program{
		generation: old.generation + 1, released: old.released,
		acting: append([]*acting(nil), old.acting...), replaced: make(chan struct{}),
	}
	edit(p)
	l.program.Store(p)
	close(old.replaced)
	conns := make([]*connection, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	return p, conns
}

// report tells of connections that were given up since it last did.
func (l *Link) report() {
	l.mu.Lock()
	n := l.gaveUp.Load() - l.reported
	l.reported += n
	l.mu.Unlock()
	if n > 0 {
		l.out.Event(evidence.Event{
			At: l.clock.Now(), Kind: evidence.LinkGaveUp, Link: l.spec.Name,
			Text: fmt.Sprintf("%d connections were closed because a faulted stream could not be drained in %s", n, l.giveUpAfter),
		})
	}
}

// shut closes ports and connections, and waits for nothing.
func (l *Link) shut() {
	l.mu.Lock()
	l.closed = true
	conns := make([]*connection, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	l.end()
	l.ports.close()
	for _, c := range conns {
		c.shut()
	}
}

// wait waits until everything that ran for the link has ended.
func (l *Link) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		l.report()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d connections are still open: %w", l.active.Load(), ctx.Err())
	}
}
