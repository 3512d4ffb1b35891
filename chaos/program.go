package chaos

import (
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"

	"ordeal/runner/evidence"
)

// linkKind is a kind of fault that acts on a link. To add one: a file with its
// struct, Validate, String and begin; a line in Spec; a case in the conformance
// suite. It may say which way it acts (wayward), on which share of connections
// (sharing), and what it leaves nothing to act on (connless, byteless).
type linkKind interface {
	kind
	// begin prepares the fault for one injection. What it returns is called for
	// each direction of each connection that the fault acts on, in the goroutine
	// of that direction; it may give nil.
	begin(a *acting) func(f *flow) stage
}

// stage is a fault at work on one direction of one connection. All its methods
// are called in the goroutine of that direction.
type stage interface {
	// arrive hands what becomes of a piece on to next, at once: a delay is a later
	// due time, never a wait.
	arrive(p piece, next func(piece))
	// leave is called once, when the fault is healed or the connection is over.
	leave()
}

// A stage that decides when a piece may leave, once it is first in line.
type pacer interface {
	pace(size int, now time.Time) time.Time
}

// A stage that needs more than a little held at a time.
type holder interface{ hold() int }

// piece is a part of a stream under way, or its end.
type piece struct {
	chunk      *stream.StreamChunk // nil: the end of the stream
	due        time.Time           // not to leave before; zero: at once
	generation uint64              // of the program that set due
	paced      bool                // a pacer has set due
	cut        bool                // with the end: close the whole connection
}

func (p *piece) size() int {
	if p.chunk == nil {
		return 0
	}
	return len(p.chunk.Data)
}

// delay moves the due time of a piece to t, unless it is later already.
func (p *piece) delay(t time.Time) {
	if t.After(p.due) {
		p.due = t
	}
}

// part gives the bytes of p from i up to j as a piece of their own.
func (p *piece) part(i, j int) piece {
	q := *p
	q.chunk = &stream.StreamChunk{Data: p.chunk.Data[i:j:j], Timestamp: p.chunk.Timestamp}
	return q
}

// program is what acts on a link at a time. It is never changed: a new one
// takes its place, and closes replaced to wake the streams.
type program struct {
	generation uint64
	released   uint64 // pieces of a generation below are held no longer
	acting     []*acting
	replaced   chan struct{}
}

func (p *program) has(a *acting) bool {
	for _, b := range p.acting {
		if a == b {
			return true
		}
	}
	return false
}

// acting is one injection of a fault into a link.
type acting struct {
	way   string
	share Share
	seed  uint64
	since time.Time
	stage func(*flow) stage

	connections, bytes, calls atomic.Int64
}

// picks tells whether the fault acts on a connection at all.
func (a *acting) picks(c *connection) bool {
	if a.share.percent() >= 100 {
		return true
	}
	return unit(draw(a.seed, c.index)) < a.share.percent()/100
}

// actsOn tells whether the fault acts on one direction of a connection.
func (a *acting) actsOn(f *flow) bool {
	return (a.way == "" || a.way == both || a.way == f.way) && a.picks(f.conn)
}

// touch counts that the fault acted on n bytes of a connection.
func (a *acting) touch(c *connection, n int) {
	a.bytes.Add(int64(n))
	if c.firstTouch(a) {
		a.connections.Add(1)
	}
}

func (a *acting) touched() evidence.Touched {
	return evidence.Touched{Connections: a.connections.Load(), Bytes: a.bytes.Load(), Calls: a.calls.Load()}
}
