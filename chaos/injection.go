package chaos

import (
	"context"
	"errors"
	"time"

	"ordeal/runner/evidence"
)

// linkFault is a fault of any kind on a link.
type linkFault struct {
	name string
	kind linkKind
	link *Link
	seed uint64
}

func (f *linkFault) String() string { return f.name }

// Inject puts the fault into the program of the link, and returns once every
// standing connection follows it.
func (f *linkFault) Inject(ctx context.Context) (Injection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := &acting{way: wayOf(f.kind), seed: faultSeed(f.seed, f.name), since: time.Now()}
	if s, ok := f.kind.(sharing); ok {
		a.share = s.part()
	}
	a.stage = f.kind.begin(a)
	in := &linkInjection{link: f.link, acting: a}
	if p, ok := f.kind.(portKind); ok {
		in.port = p
		p.closePorts(f.link)
	}
	p, conns := f.link.change(func(p *program) { p.acting = append(p.acting, a) })
	if err := f.link.follow(ctx, conns, p.generation); err != nil {
		healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.link.giveUpAfter)
		defer cancel()
		return nil, errors.Join(err, in.Heal(healing))
	}
	return in, nil
}

// A kind that can act on a share of the connections says which.
type sharing interface{ part() Share }

// A kind that acts on the ports of a link as well.
type portKind interface {
	closePorts(l *Link)
	openPorts(ctx context.Context, l *Link) error
}

// linkInjection is a fault that acts on a link.
type linkInjection struct {
	link   *Link
	acting *acting
	port   portKind
}

// Heal takes the fault out of the program, opens the ports, and waits until
// every stream has passed on what was held, to the kernel if its reader is slow:
// at most the give-up time, after which the streams that have not are closed and
// counted. So a heal of traffic always succeeds; what may fail is the opening of
// a port.
func (in *linkInjection) Heal(ctx context.Context) error {
	p, conns := in.link.change(func(p *program) {
		p.released = p.generation
		kept := p.acting[:0]
		for _, a := range p.acting {
			if a != in.acting {
				kept = append(kept, a)
			}
		}
		p.acting = kept
	})
	var err error
	if in.port != nil {
		err = in.port.openPorts(ctx, in.link)
	}
	in.link.drain(ctx, conns, p.generation, in.acting)
	in.link.report()
	return err
}

func (in *linkInjection) Touched() evidence.Touched { return in.acting.touched() }

// follow waits until the flows of the connections follow a program. It fails if
// ctx ends first. Those that are not run for the whole give-up time, on a machine
// that is overwhelmed, carry nothing meanwhile and follow when they are.
func (l *Link) follow(ctx context.Context, conns []*connection, generation uint64) error {
	l.until(ctx, conns, func(c *connection) bool {
		return c.up.follows(generation) && c.down.follows(generation)
	})
	return ctx.Err()
}

// drain waits until the flows of the connections follow a program, and those
// that a fault acted on have passed on what they held when it came. It gives up
// the connections that do not.
func (l *Link) drain(ctx context.Context, conns []*connection, generation uint64, healed *acting) {
	marks := make(map[*flow]int64, 2*len(conns)) // 0 for those that it did not act on
	for _, c := range conns {
		for _, f := range []*flow{c.up, c.down} {
			if healed.actsOn(f) {
				marks[f] = f.took.Load()
			}
		}
	}
	left := l.until(ctx, conns, func(c *connection) bool {
		return c.up.follows(generation) && c.down.follows(generation) && c.up.passed(marks[c.up]) && c.down.passed(marks[c.down])
	})
	for _, c := range left {
		c.giveUp()
	}
}

// until waits until done holds for every connection that is not gone, but no
// longer than the give-up time and ctx, and gives those left over.
func (l *Link) until(ctx context.Context, conns []*connection, done func(*connection) bool) (left []*connection) {
	deadline := time.NewTimer(l.giveUpAfter)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		left = nil
		for _, c := range conns {
			if !c.isGone() && !done(c) {
				left = append(left, c)
			}
		}
		if conns = left; len(conns) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return left
		case <-ctx.Done():
			return left
		}
	}
}
