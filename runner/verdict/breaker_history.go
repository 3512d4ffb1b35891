package verdict

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ordeal/runner/evidence"
)

// Times of the breaker's metrics and times of calls come from two readings of
// the clock; what is closer than this is not told apart.
const clockMargin = 10 * time.Millisecond

// history is what the clients saw of a breaker.
type history struct {
	// Of the load that the check names, from the injection to the heal.
	calls, shed, failing int
	firstShed            time.Duration            // when the first shed call was answered
	lastShed             time.Duration            // when the last shed call was answered, until the end of what is watched; 0: never
	times                *hdrhistogram.Histogram  // service times of shed calls in ns
	slow                 map[time.Duration][2]int // shed calls that were rejected fast enough, and those that were not, by the tick in which they were sent

	// By stretch of the timeline, of that load: only calls that were sent and
	// answered within the stretch, so that it is certain in which state they were.
	within []inState

	// Of all loads of the target, between the first and the last scrape.
	shedScraped int
	unseen      int // calls without an answer of the target: whether they were shed is not known
	straddled   int // failed calls that were sent before it opened and answered while it was open
}

// inState counts the calls of one stretch.
type inState struct {
	shed, passed int
	unclear      int           // sent well before the end of the stretch, answered after it
	lastShedSent time.Duration // when the last of the shed calls was sent
}

// breakerWindow is the time that the check watches.
type breakerWindow struct {
	inject, heal, end time.Duration
}

// readHistory goes through all calls once. line may be nil.
func (b *Breaker) readHistory(run *evidence.Run, w breakerWindow, line *timeline) (*history, error) {
	h := &history{times: hdrhistogram.New(1, int64(time.Hour), 2), slow: make(map[time.Duration][2]int)}
	var stretches []stretch
	if line != nil {
		stretches = line.stretches
		h.within = make([]inState, len(stretches))
	}
	same := make([]bool, len(run.Meta.Loads)) // loads of the same target
	for i, m := range run.Meta.Loads {
		same[i] = m.Target == b.Target
	}
	index := slices.IndexFunc(run.Meta.Loads, func(m evidence.LoadMeta) bool { return m.Name == b.Load })
	if index < 0 {
		return nil, fmt.Errorf("the run has no load %s", b.Load)
	}
	visit := func(s *evidence.Sample) {
		if s.Load < 0 || s.Load >= len(same) || !same[s.Load] && s.Load != index {
			return
		}
		shed := b.isShed(s)
		if same[s.Load] && line != nil {
			h.compare(s, shed, line)
		}
		if s.Load == index {
			h.count(s, shed, w)
			if shed {
				h.reject(s, b.rejectLimit(), w)
			}
			h.place(s, shed, stretches)
		}
	}
	for calls, err := range run.Scan(evidence.Query{Fields: historyFields}) {
		if err != nil {
			return nil, fmt.Errorf("reading samples: %w", err)
		}
		for i := range calls {
			visit(&calls[i])
		}
	}
	return h, nil
}

// historyFields is what a history reads of a call.
const historyFields = evidence.WithLoad | evidence.WithSent | evidence.WithDone | evidence.WithClass | evidence.WithCode | evidence.WithMark

func (b *Breaker) isShed(s *evidence.Sample) bool {
	mark := b.ShedMark
	if mark == "" {
		mark = "circuit-open"
	}
	return s.Mark == mark || s.Code != 0 && slices.Contains(b.ShedCodes, s.Code)
}

// count looks at a call without regard to the breaker's metrics.
func (h *history) count(s *evidence.Sample, shed bool, w breakerWindow) {
	if shed && s.Done >= w.inject && s.Done <= w.end {
		if h.lastShed == 0 || s.Done < h.firstShed {
			h.firstShed = s.Done
		}
		h.lastShed = max(h.lastShed, s.Done)
	}
	if s.Sent < w.inject || s.Sent >= w.heal {
		return
	}
	h.calls++
	switch {
	case shed:
		h.shed++
	case s.Class != evidence.OK || s.Mark != "":
		h.failing++
	}
}

// reject notes how long a rejection took.
func (h *history) reject(s *evidence.Sample, most time.Duration, w breakerWindow) {
	if s.Done < w.inject || s.Done > w.end {
		return
	}
	// Cannot fail: the value is held within the histogram's range.
	_ = h.times.RecordValue(min(max(int64(s.Service()), 1), int64(time.Hour)))
	tick := s.Sent / (100 * time.Millisecond)
	n := h.slow[tick]
	if s.Service() <= most {
		n[0]++
	} else {
		n[1]++
	}
	h.slow[tick] = n
}

// spells is the share of the time with rejections in which most of them were
// slow, and whether nearly all slow ones fall into it. Slow rejections that come
// bunched in a small share of the time speak of a machine that stood still, not
// of a breaker that rejects slowly.
func (h *history) spells() (share float64, bunched bool) {
	spells, inSpells, all := 0, 0, 0
	for _, n := range h.slow {
		all += n[1]
		if n[1] > n[0] {
			spells++
			inSpells += n[1]
		}
	}
	return float64(spells) / float64(max(1, len(h.slow))), float64(inSpells) >= 0.8*float64(all)
}

// compare gathers what the breaker's own counter of rejected calls is held against.
func (h *history) compare(s *evidence.Sample, shed bool, line *timeline) {
	if s.Done <= line.from || s.Done > line.to {
		return
	}
	switch {
	case shed:
		h.shedScraped++
	case s.Class == evidence.Timeout || s.Class == evidence.Reset || s.Class == evidence.Other:
		h.unseen++
	case s.Class != evidence.OK || s.Mark != "":
		if line.state(s.Sent) != openState && line.state(s.Done) == openState {
			h.straddled++
		}
	}
}

// place counts a call in the state that it met, where that is certain.
func (h *history) place(s *evidence.Sample, shed bool, stretches []stretch) {
	// A call that is sent so long before the end of a state would have met it.
	const early = 500 * time.Millisecond
	i := sort.Search(len(stretches), func(i int) bool { return stretches[i].start > s.Sent }) - 1
	if i < 0 {
		return
	}
	st := stretches[i]
	from, to := st.start+clockMargin, st.end-st.endSlack-clockMargin
	if st.state == closedState {
		// What is in flight when it closes, and what is under way when it opens, is not yet settled.
		from, to = from+clockMargin, to-clockMargin
	}
	if s.Sent < from || s.Sent >= to || neverMet(s) && !shed {
		return
	}
	c := &h.within[i]
	switch {
	case s.Done > to && shed && st.state != closedState:
		c.shed++
	case s.Done > to:
		if to-s.Sent > early {
			c.unclear++
		}
	case shed:
		c.shed++
		c.lastShedSent = max(c.lastShedSent, s.Sent)
	default:
		c.passed++
	}
}

// neverMet reports whether a call ended before it came to the breaker: it did
// not reach the target, or the target turned it away as such.
func neverMet(s *evidence.Sample) bool {
	switch s.Class {
	case evidence.Refused, evidence.Reset, evidence.Other, evidence.HTTP4xx:
		return true
	}
	return false
}
