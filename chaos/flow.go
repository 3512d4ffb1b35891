package chaos

import (
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// passHold is how many bytes of a direction are held where no fault asks for
// more: enough to keep a stream going, so little that a slow reader is felt.
const passHold = 64 << 10

// flow is one direction of a connection. It is run by one goroutine, which
// waits nowhere but in one select, so that neither a reader that is gone nor a
// fault can hang it.
type flow struct {
	conn *connection
	way  string

	prog   *program
	stages []working
	entry  func(piece)
	limit  int // bytes held before the sender has to wait
	queue  queue
	closed bool // the end of the stream, or a cut, is in the queue
	calls  streamCounter

	synced atomic.Uint64 // the generation of the program that acts
	took   atomic.Int64  // bytes that came in
	gave   atomic.Int64  // bytes that went out, or were swallowed or dropped
	// faulted: a stage is at work. ended: the source has no more.
	// swallowedEnd: it ended, and a blackhole kept that to itself. cut: the whole
	// connection is to close with this direction. over: it passes nothing more.
	faulted, ended, swallowedEnd, cut, over atomic.Bool
}

// working is a stage with the injection that it belongs to.
type working struct {
	acting *acting
	stage  stage
}

// run carries the direction until its end has passed or the connection is
// gone; then it drains the input, so that what comes before can end.
func (f *flow) run(stub *toxics.ToxicStub) {
	defer f.conn.part()
	defer f.leaveAll()
	timer := time.NewTimer(maxDelay)
	defer timer.Stop()
	for f.step(stub, timer) {
	}
	f.over.Store(true)
	stub.Close()
	for range stub.Input {
	}
}

// step does the next thing there is to do; false at the end.
func (f *flow) step(stub *toxics.ToxicStub, timer *time.Timer) bool {
	f.sync()
	var (
		in   = stub.Input
		out  chan<- *stream.StreamChunk
		next *stream.StreamChunk
		wake <-chan time.Time
	)
	if f.closed || f.ended.Load() || f.queue.held >= f.limit {
		in = nil
	}
	if head := f.queue.head(); head != nil {
		wait := f.wait(head)
		switch {
		case wait > 0:
			timer.Reset(wait)
			wake = timer.C
		case head.chunk == nil:
			f.cut.Store(head.cut)
			return false
		default:
			out, next = stub.Output, head.chunk
		}
	}
	select {
	case c := <-in:
		f.take(c)
	case out <- next:
		n := f.queue.head().size()
		f.queue.pop()
		f.gave.Add(int64(n))
	case <-wake:
	case <-f.prog.replaced:
	case <-f.conn.gone:
		return false
	}
	return true
}

// wait gives how long the first piece still has to be held.
func (f *flow) wait(p *piece) time.Duration {
	if p.due.IsZero() && !f.faulted.Load() {
		return 0
	}
	now := time.Now()
	if p.generation >= f.prog.released {
		if d := p.due.Sub(now); d > 0 {
			return d
		}
	}
	if p.paced || p.chunk == nil {
		return 0
	}
	var until time.Time
	for _, w := range f.stages {
		if pace, ok := w.stage.(pacer); ok {
			if t := pace.pace(p.size(), now); t.After(until) {
				until = t
			}
		}
	}
	if until.IsZero() {
		return 0
	}
	p.due, p.paced, p.generation = until, true, f.prog.generation
	return until.Sub(now)
}

// take receives what came in: a chunk, or nil for the end of the stream.
func (f *flow) take(c *stream.StreamChunk) {
	p := piece{chunk: c, generation: f.prog.generation}
	if c == nil {
		f.ended.Store(true)
		f.conn.sourceEnded()
		f.entry(p)
		return
	}
	n := int64(len(c.Data))
	f.took.Add(n)
	link := f.conn.link
	if f.way == up {
		link.bytesUp.Add(n)
		if calls := f.calls.count(c.Data); calls > 0 {
			link.calls.Add(calls)
			for _, a := range f.prog.acting {
				if a.picks(f.conn) {
					a.calls.Add(calls)
				}
			}
		}
	} else {
		link.bytesDown.Add(n)
	}
	f.entry(p)
}

// enqueue is the last of the stages: it puts a piece in line.
func (f *flow) enqueue(p piece) {
	if f.closed {
		f.drop(p)
		return
	}
	f.closed = p.chunk == nil
	f.queue.push(p)
}

// drop lets a piece go nowhere.
func (f *flow) drop(p piece) { f.gave.Add(int64(p.size())) }

// sync takes up the program of the link, if it is a new one.
func (f *flow) sync() {
	p := f.conn.link.program.Load()
	if p == f.prog {
		return
	}
	old := f.prog
	f.prog = p
	kept := f.stages[:0:0]
	for _, w := range f.stages {
		if p.has(w.acting) {
			kept = append(kept, w)
		} else {
			w.stage.leave()
		}
	}
	for _, a := range p.acting {
		if (old != nil && old.has(a)) || !a.actsOn(f) {
			continue
		}
		if s := a.stage(f); s != nil {
			kept = append(kept, working{a, s})
		}
	}
	f.chain(kept)
	f.synced.Store(p.generation)
}

// chain lets pieces go through the stages in the order of their injection.
func (f *flow) chain(stages []working) {
	f.stages, f.limit = stages, passHold
	f.faulted.Store(len(stages) > 0)
	f.entry = f.enqueue
	for i := len(stages) - 1; i >= 0; i-- {
		s, next := stages[i].stage, f.entry
		f.entry = func(p piece) { s.arrive(p, next) }
		if h, ok := s.(holder); ok {
			f.limit = max(f.limit, h.hold())
		}
	}
}

func (f *flow) leaveAll() {
	for _, w := range f.stages {
		w.stage.leave()
	}
}

// starved tells whether bytes are held by a fault for a reader.
func (f *flow) starved() bool { return f.faulted.Load() && f.took.Load() > f.gave.Load() }

// follows tells whether a program is taken up, or does not matter any more.
func (f *flow) follows(generation uint64) bool {
	return f.over.Load() || f.synced.Load() >= generation
}

// passed tells whether all that came in up to a mark has left.
func (f *flow) passed(mark int64) bool { return f.over.Load() || f.gave.Load() >= mark }

// wayKey tells the directions of a connection apart in a draw.
func (f *flow) wayKey() uint64 {
	if f.way == up {
		return 0
	}
	return 1
}
