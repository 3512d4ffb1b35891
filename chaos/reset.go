package chaos

import (
	"sync"
	"time"
)

// Reset breaks connections with a TCP reset (RST) to both ends: those that
// stand when it is injected, and those opened while it acts.
type Reset struct {
	After time.Duration `yaml:"after" doc:"how long a connection lives on: from the start of the fault, or from its opening if that is later; at once unless given"`
	Share Share         `yaml:"share" doc:"the part of the connections that is reset, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (r *Reset) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "after", r.After)
	checkShare(bad, r.Share)
}

func (r *Reset) String() string {
	s := "reset"
	if r.After > 0 {
		s += " after " + r.After.String()
	}
	return s + shared(r.Share)
}

func (r *Reset) leavesNoConnections() string {
	if r.After > 0 || r.Share.percent() < 100 {
		return ""
	}
	return "every connection is reset at once"
}

func (r *Reset) part() Share { return r.Share }

func (r *Reset) begin(a *acting) func(*flow) stage {
	after := r.After
	return func(f *flow) stage {
		from := time.Now()
		if f.conn.opened.Before(a.since) {
			from = a.since
		}
		b := &breaking{acting: a, conn: f.conn}
		if wait := after - time.Since(from); wait > 0 {
			b.timer = time.AfterFunc(wait, b.strike)
		} else {
			b.strike()
		}
		return b
	}
}

type breaking struct {
	acting *acting
	conn   *connection
	timer  *time.Timer
	mu     sync.Mutex
	healed bool
}

func (b *breaking) strike() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.healed || b.conn.isGone() {
		return
	}
	b.acting.touch(b.conn, 0)
	b.conn.abort()
}

func (b *breaking) arrive(p piece, next func(piece)) { next(p) }

// leave returns only when a reset that is under way is over.
func (b *breaking) leave() {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.mu.Lock()
	b.healed = true
	b.mu.Unlock()
}
