package target

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Outcome is how the target ended a call.
type Outcome uint8

// The outcomes. The numbers are those of the log file.
const (
	Pending  Outcome = iota // the target still had it when the log was written
	Answered                // a whole answer of success
	Failed                  // a whole answer that says it failed
	Cut                     // a reset of the connection in the middle of the answer
	Silent                  // no answer at all
)

// Treatment is what happens to one call.
type Treatment struct {
	Delay   time.Duration // from its arrival to its end
	Outcome Outcome
}

// Program decides how calls are treated. A program is a function of the call's
// number, of the time of its arrival since the first call's, and of a seed; a
// queue also of the arrivals before. Treat is called in the order of arrival,
// by one goroutine at a time.
type Program interface {
	Treat(n uint64, at time.Duration) Treatment
	String() string // as ParseProgram reads it
}

// ParseProgram reads a program:
//
//	prompt                  every answer at once
//	stall FROM FOR          what arrives in this window is answered at its end
//	slow SHARE DELAY        a share of the calls takes DELAY, the others nothing
//	jitter LOW HIGH         log-normal between LOW and HIGH
//	errors SHARE LOW HIGH   a share fails at once, the others succeed after LOW to HIGH
//	cuts SHARE DELAY        a share is cut in the middle of the answer, after DELAY
//	silence SHARE           a share is never answered
//	queue SLOTS SERVICE     SLOTS calls at a time, SERVICE each, first come, first served
func ParseProgram(text string, seed uint64) (Program, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, fmt.Errorf("a program has no name")
	}
	a := arguments{words: words[1:]}
	var p Program
	switch words[0] {
	case "prompt":
		p = prompt{}
	case "stall":
		p = stall{a.duration(), a.duration()}
	case "slow":
		p = slow{seed, a.share(), a.duration()}
	case "jitter":
		p = jitter{seed, a.duration(), a.duration()}
	case "errors":
		p = failures{seed, a.share(), a.duration(), a.duration()}
	case "cuts":
		p = cuts{seed, a.share(), a.duration()}
	case "silence":
		p = silence{seed, a.share()}
	case "queue":
		p = &queue{free: make([]time.Duration, a.count()), service: a.duration()}
	default:
		return nil, fmt.Errorf("no program is named %q", words[0])
	}
	if a.err == nil && len(a.words) > 0 {
		a.err = fmt.Errorf("%d arguments too many", len(a.words))
	}
	if a.err != nil {
		return nil, fmt.Errorf("program %q: %w", text, a.err)
	}
	return p, nil
}

// arguments are read one after the other; the first error stays.
type arguments struct {
	words []string
	err   error
}

func (a *arguments) next() string {
	if len(a.words) == 0 {
		if a.err == nil {
			a.err = fmt.Errorf("an argument is missing")
		}
		return ""
	}
	w := a.words[0]
	a.words = a.words[1:]
	return w
}

func (a *arguments) keep(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *arguments) duration() time.Duration {
	d, err := time.ParseDuration(a.next())
	a.keep(err)
	return d
}

func (a *arguments) share() float64 {
	text, found := strings.CutSuffix(a.next(), "%")
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && (!found || v < 0 || v > 100) {
		err = fmt.Errorf("want a share such as 1%%")
	}
	a.keep(err)
	return v / 100
}

func (a *arguments) count() int {
	n, err := strconv.Atoi(a.next())
	if err == nil && (n < 1 || n > 1000) {
		err = fmt.Errorf("want 1 to 1000 slots")
	}
	a.keep(err)
	return min(max(n, 1), 1000)
}

// draw is a number from 0 up to 1 for call n: the same in every run of the seed.
// The mixing is SplitMix64 (Steele, Lea, Flood 2014).
func draw(seed, n uint64) float64 {
	x := seed*0x9e3779b97f4a7c15 + (n+1)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'g', 6, 64) + "%" }

type prompt struct{}

func (prompt) Treat(uint64, time.Duration) Treatment { return Treatment{Outcome: Answered} }
func (prompt) String() string                        { return "prompt" }

type stall struct{ from, length time.Duration }

func (s stall) Treat(_ uint64, at time.Duration) Treatment {
	t := Treatment{Outcome: Answered}
	if at >= s.from && at < s.from+s.length {
		t.Delay = s.from + s.length - at
	}
	return t
}
func (s stall) String() string { return fmt.Sprintf("stall %v %v", s.from, s.length) }

type slow struct {
	seed  uint64
	share float64
	delay time.Duration
}

func (s slow) Treat(n uint64, _ time.Duration) Treatment {
	t := Treatment{Outcome: Answered}
	if draw(s.seed, n) < s.share {
		t.Delay = s.delay
	}
	return t
}
func (s slow) String() string { return fmt.Sprintf("slow %s %v", percent(s.share), s.delay) }

// jitter is log-normal, cut off at three standard deviations to both sides,
// which are low and high: the median is their geometric mean.
type jitter struct {
	seed      uint64
	low, high time.Duration
}

func (j jitter) Treat(n uint64, _ time.Duration) Treatment {
	const cut = 3
	tail := math.Erfc(cut/math.Sqrt2) / 2 // of the normal distribution, beyond the cut
	p := tail + draw(j.seed, n)*(1-2*tail)
	z := math.Sqrt2 * math.Erfinv(2*p-1)
	low, high := math.Log(float64(j.low)), math.Log(float64(j.high))
	return Treatment{Delay: time.Duration(math.Exp((low+high)/2 + z*(high-low)/(2*cut))), Outcome: Answered}
}
func (j jitter) String() string { return fmt.Sprintf("jitter %v %v", j.low, j.high) }

type failures struct {
	seed      uint64
	share     float64
	low, high time.Duration
}

func (f failures) Treat(n uint64, _ time.Duration) Treatment {
	if draw(f.seed, n) < f.share {
		return Treatment{Outcome: Failed}
	}
	spread := draw(f.seed+1, n) * float64(f.high-f.low)
	return Treatment{Delay: f.low + time.Duration(spread), Outcome: Answered}
}
func (f failures) String() string {
	return fmt.Sprintf("errors %s %v %v", percent(f.share), f.low, f.high)
}

type cuts struct {
	seed  uint64
	share float64
	delay time.Duration
}

func (c cuts) Treat(n uint64, _ time.Duration) Treatment {
	if draw(c.seed, n) < c.share {
		return Treatment{Delay: c.delay, Outcome: Cut}
	}
	return Treatment{Outcome: Answered}
}
func (c cuts) String() string { return fmt.Sprintf("cuts %s %v", percent(c.share), c.delay) }

type silence struct {
	seed  uint64
	share float64
}

func (s silence) Treat(n uint64, _ time.Duration) Treatment {
	if draw(s.seed, n) < s.share {
		return Treatment{Outcome: Silent}
	}
	return Treatment{Outcome: Answered}
}
func (s silence) String() string { return "silence " + percent(s.share) }

// queue has a fixed number of slots; free is when each of them is free next.
type queue struct {
	free    []time.Duration
	service time.Duration
}

func (q *queue) Treat(_ uint64, at time.Duration) Treatment {
	next := 0
	for i, f := range q.free {
		if f < q.free[next] {
			next = i
		}
	}
	q.free[next] = max(q.free[next], at) + q.service
	return Treatment{Delay: q.free[next] - at, Outcome: Answered}
}
func (q *queue) String() string { return fmt.Sprintf("queue %d %v", len(q.free), q.service) }
