package telemetry

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// Tally counts the calls of a run by load and class, and how long they took, as
// they end. Counting takes no lock and, but for the first call of a kind,
// allocates nothing; memory does not grow with the number of calls.
//
// The figures are kept in shards, of which a processor mostly has one of its own,
// so that workers do not fight over cache lines. They are added up only when
// somebody looks.
type Tally struct {
	whole   bool
	shards  []shard
	handles sync.Pool // of *shard: what is put back is taken again on the same processor
	next    atomic.Uint32
}

type shard struct {
	loads []loadCounters
	_     [64]byte // keeps neighbours out of one cache line
}

// loadCounters are made where they are needed: few loads see every class, and
// few have messages.
type loadCounters struct {
	calls    [evidence.NumClasses]atomic.Pointer[callCounters]
	lag      counter
	messages atomic.Pointer[messageCounters]
}

type callCounters struct {
	response, service counter
	bytes             atomic.Int64
}

type messageCounters struct{ response, service counter }

// NewTally makes a Tally for a run with a number of loads. One that is not whole
// keeps response times alone, which is all that Look needs, at half the cost.
func NewTally(loads int, whole bool) *Tally {
	t := &Tally{whole: whole, shards: make([]shard, runtime.GOMAXPROCS(0))}
	for i := range t.shards {
		t.shards[i].loads = make([]loadCounters, loads)
	}
	t.handles.New = func() any { return &t.shards[int(t.next.Add(1))%len(t.shards)] }
	return t
}

// Sample counts a call that has ended.
func (t *Tally) Sample(s *evidence.Sample) {
	mine := t.handles.Get().(*shard)
	l := &mine.loads[s.Load]
	c := orMake(&l.calls[s.Class])
	c.response.observe(s.Response())
	if t.whole {
		c.service.observe(s.Service())
		if s.Bytes > 0 {
			c.bytes.Add(s.Bytes)
		}
		l.lag.observe(s.Lag())
	}
	t.handles.Put(mine)
}

// Message counts a message of a streaming call.
func (t *Tally) Message(m *evidence.Message) {
	if !t.whole {
		return
	}
	mine := t.handles.Get().(*shard)
	c := orMake(&mine.loads[m.Load].messages)
	c.response.observe(m.Response())
	c.service.observe(m.Service())
	t.handles.Put(mine)
}

// orMake gives what p points to, and makes it where there is nothing yet.
func orMake[T any](p *atomic.Pointer[T]) *T {
	if v := p.Load(); v != nil {
		return v
	}
	p.CompareAndSwap(nil, new(T))
	return p.Load()
}

// calls adds up the calls of a load that ended with a class; ok is false where
// there were none.
func (t *Tally) calls(load int, class evidence.Class) (response, service histogram, bytes int64, ok bool) {
	for i := range t.shards {
		if c := t.shards[i].loads[load].calls[class].Load(); c != nil {
			ok = true
			response.add(&c.response)
			service.add(&c.service)
			bytes += c.bytes.Load()
		}
	}
	return response, service, bytes, ok
}

// messages adds up the messages of a load; ok is false where there were none.
func (t *Tally) messages(load int) (response, service histogram, ok bool) {
	for i := range t.shards {
		if c := t.shards[i].loads[load].messages.Load(); c != nil {
			ok = true
			response.add(&c.response)
			service.add(&c.service)
		}
	}
	return response, service, ok
}

// lag adds up the send lag of the calls of a load.
func (t *Tally) lag(load int) (h histogram) {
	for i := range t.shards {
		h.add(&t.shards[i].loads[load].lag)
	}
	return h
}

// Look is what a run looked like at one time: the calls of all loads.
type Look struct {
	Calls, Errors int64 // ended since the start; errors are those of another class than OK
	responses     histogram
}

// Look adds up the calls of all loads.
func (t *Tally) Look() Look {
	var look Look
	for i := range t.shards {
		for l := range t.shards[i].loads {
			for class := range t.shards[i].loads[l].calls {
				c := t.shards[i].loads[l].calls[class].Load()
				if c == nil {
					continue
				}
				n := int64(look.responses.add(&c.response))
				look.Calls += n
				if evidence.Class(class) != evidence.OK {
					look.Errors += n
				}
			}
		}
	}
	return look
}

// P99 is the 99th percentile of the response times since an earlier look, at
// most 9 % too high; zero where no call has ended since.
func (l *Look) P99(since *Look) time.Duration {
	var h histogram
	for i, n := range l.responses.buckets {
		h.buckets[i] = n - since.responses.buckets[i]
	}
	return h.quantile(0.99)
}
