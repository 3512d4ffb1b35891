package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"ordeal/cmd/accuracy/target"
	"ordeal/runner/evidence"
)

// attempt is one run of a case, judged.
type attempt struct {
	calls    comparison
	messages *comparison // nil where the case has none
	planned  int
	clocks   clocks
	problems []string // whatever else is not as it must be
}

// comparison is what Ordeal reports against what is true.
type comparison struct {
	response, service         figures // as Ordeal reports them
	trueResponse, trueService figures
	least                     figures   // of the true response times, where they are not known better
	judged                    judgement // of the response times
	control                   judgement // of the service times, as if they were response times
}

func compare(truth []timed, response, service *evidence.Distribution) comparison {
	c := comparison{
		response: reported(response), service: reported(service),
		trueResponse: exactly(responses(truth)), trueService: exactly(services(truth)),
	}
	c.least = exactly(leastResponses(truth))
	c.judged = judgeBetween(c.least, c.trueResponse, c.response)
	c.control = judgeBetween(c.least, c.trueResponse, c.service)
	return c
}

// passes reports whether everything of the attempt is as it must be.
func (a *attempt) passes() bool {
	return len(a.problems) == 0 && a.calls.judged.holds() && (a.messages == nil || a.messages.judged.holds())
}

func (a *attempt) problem(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// judgeRun holds a run against what the target knows of it.
func judgeRun(c *testCase, o *observed) attempt {
	a := attempt{planned: c.schedule.count()}
	if o.record.Lost > 0 {
		a.problem("the target had no room for %d calls or messages", o.record.Lost)
	}
	start := o.run.Meta.Start
	truth, err := numbered(o.record.Calls, c.schedule, o.base+start, c.timeout)
	if err != nil {
		a.problem("%v", err)
		return a
	}
	a.match(c, o, truth)
	known := make([]timed, 0, len(truth))
	for _, t := range truth {
		known = append(known, t)
	}
	a.calls = compare(known, o.load.Response, o.load.Service)
	a.classes(o.record.Calls, c.timeout, o.load)
	if c.messages != noMessages {
		a.judgeMessages(c, o)
	}
	return a
}

// judgeMessages holds the messages of a run against what the target knows of them.
func (a *attempt) judgeMessages(c *testCase, o *observed) {
	said := &o.load.Messages
	m := compare(messageTruth(o.record, c.messages, c.interval), said.Response, said.Service)
	a.messages = &m
	type key struct{ call, n uint64 }
	known := make(map[key]bool, len(o.record.Messages))
	for _, m := range o.record.Messages {
		known[key{m.Call, m.N}] = true
	}
	strange := 0
	for m, err := range o.run.Messages() {
		if err != nil {
			a.problem("the evidence cannot be read: %v", err)
			continue
		}
		if !known[key{m.Call, m.N}] {
			strange++
		}
		delete(known, key{m.Call, m.N})
	}
	a.count(map[string]int{
		"messages of the evidence never reached the target, or are there twice": strange,
		"messages of the target are not in the evidence":                        len(known),
		"messages have no answer in the evidence":                               int(said.Unanswered),
		"messages are in the evidence and not in its figures":                   int(m.trueResponse.count - said.Count),
	})
}

// count makes a problem of everything that there should be none of.
func (a *attempt) count(wrong map[string]int) {
	for _, what := range slices.Sorted(maps.Keys(wrong)) {
		if n := wrong[what]; n != 0 {
			a.problem("%d %s", n, what)
		}
	}
}

// match looks that evidence and target speak of the same calls, each once, at
// the times of the schedule, and that no effect comes before its cause.
func (a *attempt) match(c *testCase, o *observed, truth map[uint64]timed) {
	seen := make(map[uint64]bool, len(truth))
	var twice, unknown, misplaced int
	a.clocks = newClocks()
	for s, err := range o.run.Samples() {
		if err != nil {
			a.problem("the evidence cannot be read: %v", err)
			continue
		}
		if seen[s.Seq] {
			twice++
		}
		seen[s.Seq] = true
		t, ok := truth[s.Seq]
		if !ok {
			unknown++
			continue
		}
		if (s.Intended + o.base - t.due).Abs() > time.Microsecond {
			misplaced++
		}
		a.clocks.look(s.Sent+o.base, s.Done+o.base, t)
	}
	a.count(map[string]int{
		"calls are in the evidence twice":                        twice,
		"calls of the evidence never reached the target":         unknown,
		"calls of the target are not in the evidence":            len(truth) - (len(seen) - unknown),
		"calls have another place in the evidence's schedule":    misplaced,
		"calls of the evidence are outside of the judged phase":  len(seen) - int(o.load.Calls),
		"calls were planned by Ordeal beyond those of this case": int(o.meta.Planned[phaseName]) - c.schedule.count(),
	})
	if err := a.clocks.check(); err != nil {
		a.problem("%v", err)
	}
}

// classes looks that as many calls ended in each way as the target made end so.
func (a *attempt) classes(calls []target.Call, timeout time.Duration, load *evidence.Stats) {
	var want [evidence.NumClasses]int64
	for _, c := range calls {
		class := evidence.OK
		switch {
		case ended(c, timeout) != c.Ended:
			class = evidence.Timeout
		case c.Outcome == target.Failed:
			class = evidence.HTTP5xx
		case c.Outcome == target.Cut:
			class = evidence.Reset
		}
		want[class]++
	}
	for class, n := range want {
		if got := load.Class[class]; got != n {
			a.problem("%d calls are of class %s, and %d are true", got, evidence.Class(class), n)
		}
	}
}

// clocks is how well the two clocks agree, from the calls themselves: a call
// arrives after it was sent and is done after it was answered.
type clocks struct {
	toTarget, fromTarget time.Duration // the shortest ways
}

func newClocks() clocks { return clocks{time.Hour, time.Hour} }

func (k *clocks) look(sent, done time.Duration, t timed) {
	k.toTarget = min(k.toTarget, t.arrived-sent)
	if !t.givenUp {
		k.fromTarget = min(k.fromTarget, done-t.ended)
	}
}

// disagree is how far before its cause an effect may seem to be.
const disagree = 50 * time.Microsecond

func (k *clocks) check() error {
	if k.toTarget < -disagree || k.fromTarget < -disagree {
		return fmt.Errorf("the clocks disagree: the shortest way to the target took %v, and %v back", k.toTarget, k.fromTarget)
	}
	return nil
}
