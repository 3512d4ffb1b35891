package verdict

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"ordeal/runner/evidence"
)

// gatewayModel plays a gateway with a breaker in front of a link, in simulated
// time, and writes what a run would leave of it. Its fields after seed are the
// ways in which it can be broken.
type gatewayModel struct {
	phases  []phase
	rate    int           // calls a second
	wait    time.Duration // how long it stays open
	permits int           // probes
	window  int           // calls that it decides by: opens when half of them failed
	seed    uint64

	off         bool                        // there is no breaker
	fallsBack   bool                        // a failed or shed call is answered 200, marked
	neverCloses bool                        // a half-open state always fails
	leakEvery   int                         // while open, each so many calls goes through
	gullible    bool                        // takes the first probe of the fault for a success
	skipsHalf   bool                        // goes from open to closed
	slowReject  time.Duration               // how long a rejection takes
	export      func(*evidence.Point) bool  // changes what is exported; false leaves it out
	stall       func(time.Duration) bool    // whether scrapes fail at a time
	reconnects  time.Duration               // when the connection breaks; the new one brings a stream of its own
	freeze      [2]time.Duration            // the gateway stands still from one time to another
	shuffle     func(*evidence.Sample) bool // changes what clients see
}

type simCall struct {
	at      time.Duration // when it ends
	sample  evidence.Sample
	period  int
	through bool
	ok      bool
}

type simQueue []*simCall

func (q simQueue) Len() int           { return len(q) }
func (q simQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q simQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)        { *q = append(*q, x.(*simCall)) }
func (q *simQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// simulation is the state of a gateway at a moment.
type simulation struct {
	gatewayModel
	s             *script
	rng           *rand.Rand
	inject, heal  time.Duration
	state         string
	since         time.Duration
	period        int
	left          int // permits
	results       []bool
	edges         map[way]int
	last          map[way]time.Duration
	rejected      int
	arrived       int
	flying        simQueue
	reconnected   bool
	scraped, link time.Duration
}

const simLabel = `breaker="users"`

// runs plays the model through its phases and gives the evidence.
func (m gatewayModel) runs(s *script) *evidence.Run {
	x := &simulation{gatewayModel: m, s: s, state: closedState, edges: map[way]int{}, last: map[way]time.Duration{}}
	x.rng = rand.New(rand.NewPCG(m.seed, 1))
	x.inject, x.heal = s.fault("outage", "gateway->users", bitten)
	s.meta.Links = []evidence.LinkMeta{{Name: "gateway->users", From: "gateway", To: "users"}}
	gap := time.Second / time.Duration(m.rate)
	x.scraped, x.link = s.meta.Start, s.meta.Start
	var seq uint64
	for at := s.meta.Start; at < s.meta.Took; at += gap {
		for _, p := range s.meta.Phases {
			if at >= p.Start && at < p.Start+p.For {
				s.meta.Loads[0].Planned[p.Name]++
			}
		}
		sent := at + time.Duration(x.rng.Int64N(int64(ms)))
		x.until(sent)
		heap.Push(&x.flying, &simCall{at: x.thaw(sent + 200*time.Microsecond), sample: evidence.Sample{Seq: seq, Intended: at, Sent: sent}})
		seq++
	}
	x.until(s.meta.Took + 5*time.Second)
	return s.end()
}

// until lets everything happen that is due by a time.
func (x *simulation) until(t time.Duration) {
	for {
		next := t
		if len(x.flying) > 0 {
			next = min(next, x.flying[0].at)
		}
		for x.link <= min(next, x.s.meta.Took) {
			opened := 1.0
			if x.reconnects > 0 && x.link >= x.reconnects {
				if opened = 2; !x.reconnected {
					x.arrived++
					x.reconnected = true
				}
			}
			x.s.points = append(x.s.points,
				evidence.Point{At: x.link, Target: "gateway->users", Name: linkCalls, Value: float64(x.arrived)},
				evidence.Point{At: x.link, Target: "gateway->users", Name: "link_connections_total", Value: opened})
			x.link += 50*ms + time.Duration(x.rng.Int64N(int64(10*ms)))
		}
		for x.scraped <= min(next, x.s.meta.Took) {
			if (x.stall == nil || !x.stall(x.scraped)) && x.thaw(x.scraped) == x.scraped {
				x.scrape(x.scraped)
			}
			x.scraped += 250*ms + time.Duration(x.rng.Int64N(int64(60*ms)))
		}
		if len(x.flying) == 0 || x.flying[0].at > t {
			return
		}
		switch f := heap.Pop(&x.flying).(*simCall); {
		case f.through:
			x.finish(f)
		default:
			x.arrive(f.sample, f.at)
		}
	}
}

// thaw is when something is done that is due at a time.
func (x *simulation) thaw(at time.Duration) time.Duration {
	if at >= x.freeze[0] && at < x.freeze[1] {
		return x.freeze[1]
	}
	return at
}

func (x *simulation) broken(at time.Duration) bool { return at >= x.inject && at < x.heal }

// arrive is a call at the breaker.
func (x *simulation) arrive(c evidence.Sample, at time.Duration) {
	if !x.off && x.state == openState && at-x.since > x.wait {
		if x.skipsHalf {
			x.move(closedState, at)
		} else {
			x.move(halfOpenState, at)
		}
	}
	shed := !x.off && (x.state == openState || x.state == halfOpenState && x.left == 0)
	if shed && x.leakEvery > 0 && x.state == openState && int(c.Seq)%x.leakEvery == 0 {
		x.send(c, at, -1)
		return
	}
	if shed {
		x.rejected++
		c.Class, c.Code, c.Mark = evidence.HTTP5xx, 503, "circuit-open"
		c.Done = at + 300*time.Microsecond + x.slowReject
		x.answer(c)
		return
	}
	x.left--
	x.send(c, at, x.period)
}

func (x *simulation) send(c evidence.Sample, at time.Duration, period int) {
	x.arrived++
	f := &simCall{sample: c, period: period, through: true, ok: !x.broken(at)}
	f.at = at + 2*ms
	if !f.ok {
		f.at = at + 300*ms // the deadline of the upstream call
	}
	f.at = x.thaw(f.at)
	heap.Push(&x.flying, f)
}

// finish is the end of an upstream call.
func (x *simulation) finish(f *simCall) {
	c := f.sample
	c.Done, c.Code = f.at+200*time.Microsecond, 200
	if !f.ok {
		c.Class, c.Code, c.Mark = evidence.HTTP5xx, 502, "upstream-failed"
	}
	x.answer(c)
	if x.off || f.period != x.period {
		return
	}
	ok := f.ok
	if x.state == halfOpenState {
		ok = ok && !x.neverCloses || x.gullible
	}
	x.results = append(x.results, ok)
	size := x.window
	if x.state == halfOpenState {
		size = x.permits
	}
	x.results = x.results[max(0, len(x.results)-size):]
	failed := 0
	for _, r := range x.results {
		if !r {
			failed++
		}
	}
	switch {
	case len(x.results) < size:
	case failed*2 >= size:
		x.move(openState, f.at)
	case x.state == halfOpenState:
		x.move(closedState, f.at)
	}
}

func (x *simulation) answer(c evidence.Sample) {
	if x.fallsBack && c.Mark != "" {
		c.Class, c.Code = evidence.OK, 200
	}
	if x.shuffle == nil || x.shuffle(&c) {
		x.s.calls = append(x.s.calls, c)
	}
}

func (x *simulation) move(to string, at time.Duration) {
	w := way{x.state, to}
	x.edges[w]++
	x.last[w] = at
	x.state, x.since, x.left, x.results = to, at, x.permits, nil
	x.period++
}

func (x *simulation) scrape(at time.Duration) {
	if x.off {
		return
	}
	put := func(name, labels string, v float64) {
		p := evidence.Point{At: at, Target: "gateway", Name: name, Labels: labels, Value: v}
		if x.export == nil || x.export(&p) {
			x.s.points = append(x.s.points, p)
		}
	}
	put("breaker_state", simLabel, map[string]float64{closedState: 0, openState: 1, halfOpenState: 2}[x.state])
	put("breaker_calls_total", simLabel+`,result="rejected"`, float64(x.rejected))
	ways := legalWays
	if x.skipsHalf {
		ways = append(ways[:len(ways):len(ways)], way{openState, closedState})
	}
	for _, w := range ways {
		labels := fmt.Sprintf(`%s,from="%s",to="%s"`, simLabel, w.from, w.to)
		put("breaker_transitions_total", labels, float64(x.edges[w]))
		stamp := 0.0
		if x.edges[w] > 0 {
			stamp = float64(x.s.meta.Base.Add(x.last[w]).UnixNano()) / 1e9
		}
		put("breaker_last_transition_timestamp_seconds", labels, stamp)
	}
}
