package reports

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"ordeal/runner/evidence"
)

// Vegeta writes the calls that are selected as Vegeta's results, a line of JSON
// each, for its report, plot and encode commands. So that those show what a
// user would have felt, Timestamp is when a call was intended and Latency is
// its response time. Attack is the load and Error the class of a call that
// failed. Code is the HTTP status, or the code of a gRPC call that failed; a
// gRPC call of success has 200, without which Vegeta would count it as failed.
//
// Lines come in the order of the evidence, not of time: none of the commands
// needs it. Seq is the call's rank in time among those written, since plot
// waits for numbers without gaps; it is found in a pass of its own, which takes
// four bytes for each millisecond of the run.
func Vegeta(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		s, err := of.in(d)
		if err != nil {
			return err
		}
		attacks, err := newAttacks(d, s)
		if err != nil {
			return err
		}
		if err := attacks.each(evidence.WithLoad|evidence.WithIntended, func(a *attack, call *evidence.Sample) error {
			a.next[a.millisecond(call.Intended)]++
			return nil
		}); err != nil {
			return err
		}
		if attacks.number() == 0 {
			return fmt.Errorf("write vegeta results: no call of %s in %s", names(s.loadNames()), s.words())
		}
		encode := vegeta.NewJSONEncoder(w)
		return attacks.each(resultFields, func(a *attack, call *evidence.Sample) error {
			return encode(a.result(d.Run.Base, call))
		})
	}
}

// attacks are the loads that are written, by their index in the evidence; nil
// stands for those that are not.
type attacks struct {
	run         *evidence.Run
	phases      map[string]bool
	of          []*attack
	first, last time.Duration // of all calls
}

// resultFields are what a result is made of.
const resultFields = evidence.WithLoad | evidence.WithIntended | evidence.WithDone | evidence.WithClass | evidence.WithCode | evidence.WithBytes

// attack is a load on its way to Vegeta. Calls are numbered by the millisecond
// that they were intended in, counted from the first one's, which is as exact
// as Vegeta's plot is.
type attack struct {
	load        evidence.LoadMeta
	method, url string
	first       time.Duration // the earliest call's
	begun       bool          // the earliest call has been given number 0
	next        []uint32      // by millisecond: first how many calls, then the next one's number
}

func newAttacks(d *Document, s selected) (*attacks, error) {
	sum, err := d.run.Summary()
	if err != nil {
		return nil, fmt.Errorf("sum up the run's calls: %w", err)
	}
	a := &attacks{run: d.run, phases: make(map[string]bool), of: make([]*attack, len(sum.Loads)), first: math.MaxInt64}
	for _, l := range s.loads {
		for _, f := range l.Phases {
			a.phases[f.Phase] = true
		}
		stats := s.over(&sum.Loads[l.index])
		if stats.Calls == 0 {
			continue
		}
		one := &attack{load: sum.Loads[l.index].Meta, first: stats.First}
		if method, url, ok := strings.Cut(one.load.Call, " "); ok && one.load.Engine == "http" {
			one.method, one.url = method, url
		}
		one.next = make([]uint32, one.millisecond(stats.Last)+1)
		a.of[l.index] = one
		a.first, a.last = min(a.first, stats.First), max(a.last, stats.Last)
	}
	return a, nil
}

func (a *attack) millisecond(intended time.Duration) int {
	return int((intended - a.first) / time.Millisecond)
}

// find gives the attack that a call is of; nil where it is not selected.
func (a *attacks) find(s *evidence.Sample) *attack {
	if s.Load < 0 || s.Load >= len(a.of) || a.of[s.Load] == nil {
		return nil
	}
	one := a.of[s.Load]
	phase, ok := a.run.PhaseAt(s.Intended)
	if at := one.millisecond(s.Intended); !ok || !a.phases[phase.Name] || at < 0 || at >= len(one.next) {
		return nil
	}
	return one
}

// each goes through the calls that are selected. What of the evidence cannot be
// read is left out, and a warning of the run.
func (a *attacks) each(fields evidence.Fields, call func(*attack, *evidence.Sample) error) error {
	for calls, err := range a.run.Scan(evidence.Query{Fields: fields, From: a.first, To: a.last}) {
		if err != nil {
			continue
		}
		for i := range calls {
			one := a.find(&calls[i])
			if one == nil {
				continue
			}
			if err := call(one, &calls[i]); err != nil {
				return fmt.Errorf("write vegeta results: %w", err)
			}
		}
	}
	return nil
}

// number turns counts into the number of each millisecond's first call, and
// gives the number of all calls.
func (a *attacks) number() uint64 {
	var all uint64
	for _, one := range a.of {
		if one == nil {
			continue
		}
		var before uint32
		for i, n := range one.next {
			one.next[i] = before
			before += n
		}
		one.next[0]++ // 0 is the earliest call's
		all += uint64(before)
	}
	return all
}

func (a *attack) rank(s *evidence.Sample) uint64 {
	if !a.begun && s.Intended == a.first {
		a.begun = true
		return 0
	}
	at := a.millisecond(s.Intended)
	a.next[at]++
	return uint64(a.next[at] - 1)
}

func (a *attack) result(base time.Time, s *evidence.Sample) *vegeta.Result {
	r := &vegeta.Result{
		Attack: a.load.Name, Seq: a.rank(s), Timestamp: base.Add(s.Intended), Latency: s.Response(),
		BytesIn: uint64(max(s.Bytes, 0)), Code: uint16(max(s.Code, 0)), Method: a.method, URL: a.url,
	}
	switch ok := r.Code >= 200 && r.Code < 400; {
	case s.Class == evidence.OK && a.load.Engine == "grpc":
		r.Code = 200
	case s.Class != evidence.OK:
		r.Error = s.Class.String()
		if ok { // the answer began well and broke off
			r.Code = 0
		}
	}
	return r
}
