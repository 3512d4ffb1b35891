package synthetic

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"ordeal/runner/evidence"
)

const (
	scrapeEvery = 250 * time.Millisecond
	linkEvery   = 50 * time.Millisecond
)

// run writes what a plan says, in the order in which a run would: a call when
// it is done.
type run struct {
	*plan
	out     evidence.Sink
	r       *rand.Rand
	changes []change
	outage  phase
	flight  flight
	trial   int // the half-open state that has had its trial

	passed   float64 // calls that reached the link
	rejected float64 // calls that the breaker rejected
	answered [2]float64
}

func newRun(p *plan, out evidence.Sink) *run {
	return &run{plan: p, out: out, r: rand.New(rand.NewPCG(7, 7)), changes: p.changes(), outage: p.phase("outage"), trial: -1}
}

func (x *run) play() {
	var next [2]int64
	total := [2]int64{x.callsBefore(browse, x.length()), x.callsBefore(lookups, x.length())}
	nextLink, nextScrape := time.Duration(0), time.Duration(0)
	for {
		load, at := -1, time.Duration(math.MaxInt64)
		for l := range next {
			if next[l] < total[l] && x.due(l, next[l]) < at {
				load, at = l, x.due(l, next[l])
			}
		}
		for ; nextLink <= min(at, x.length()+time.Second); nextLink += linkEvery {
			x.land(start + nextLink)
			x.readLink(start + nextLink)
			if nextLink >= nextScrape {
				x.scrape(start + nextScrape)
				nextScrape += scrapeEvery
			}
		}
		if load < 0 {
			x.land(math.MaxInt64)
			return
		}
		heap.Push(&x.flight, x.call(load, uint64(next[load]), start+at))
		next[load]++
	}
}

// land writes the calls that are done.
func (x *run) land(now time.Duration) {
	for len(x.flight) > 0 && x.flight[0].Done <= now {
		c := heap.Pop(&x.flight).(evidence.Sample)
		x.answered[c.Load]++
		if c.Mark != "" {
			x.rejected++
		}
		x.out.Sample(c)
	}
}

// spread is a log-normal time around a median in milliseconds, to the nanosecond.
func (x *run) spread(median, sigma float64) time.Duration {
	return time.Duration(median * math.Exp(sigma*x.r.NormFloat64()) * 1e6)
}

func (x *run) call(load int, n uint64, due time.Duration) evidence.Sample {
	c := evidence.Sample{Load: load, Seq: n, Intended: due, Sent: due + x.spread(0.03, 0.6), Code: 200}
	took := x.spread(2.4, 0.5)
	luck := x.r.IntN(10_000)
	if load == lookups {
		c.Code, c.Bytes, c.Backend = 0, 64, fmt.Sprintf("127.0.0.1:%d", 40001+n%3)
		took = x.spread(0.9, 0.5)
		switch luck {
		case 0:
			took, c.Class, c.Code = 2*time.Second, evidence.Timeout, 4
		case 1, 2:
			c.Class, c.Code = evidence.GRPCStatus, 14
		}
		c.Done = c.Sent + took
		return c
	}
	c.Bytes, c.Backend = 180+int64(luck%7), "gateway-0"
	if luck >= 9_990 {
		took = x.spread(40, 0.3)
	}
	state, index := stateAt(x.changes, c.Sent)
	dead := c.Sent >= start+x.outage.from && c.Sent < start+x.outage.until()
	trial := state == halfOpen && x.trial != index
	switch {
	case state == open, state == halfOpen && !trial:
		took, c.Mark, c.Bytes = x.spread(0.6, 0.4), "circuit-open", 33
	default:
		x.passed++
		switch {
		case dead:
			took, c.Class, c.Code, c.Bytes = deadline-x.spread(0.5, 0.3), evidence.HTTP5xx, 503, 40
		case luck < 3:
			c.Class, c.Code = evidence.HTTP5xx, 500
		}
	}
	if trial {
		x.trial = index
	}
	c.Done = c.Sent + took
	return c
}

// flight is the calls under way, the first to end on top.
type flight []evidence.Sample

func (f flight) Len() int           { return len(f) }
func (f flight) Less(i, j int) bool { return f[i].Done < f[j].Done }
func (f flight) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }

// Push and Pop are for container/heap alone.
func (f *flight) Push(c any) { *f = append(*f, c.(evidence.Sample)) }

// Pop takes the last.
func (f *flight) Pop() any {
	last := len(*f) - 1
	c := (*f)[last]
	*f = (*f)[:last]
	return c
}
