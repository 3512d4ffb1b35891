package load

import (
	"math"
	"testing"
	"time"
)

// TestGarbageIsCollectedSeldom: GOGC follows from how fast garbage comes and how
// much is live.
func TestGarbageIsCollectedSeldom(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	type look struct{ garbage, live uint64 } // in a second, MiB
	for name, c := range map[string]struct {
		looks []look
		want  []int
	}{
		"little garbage":           {[]look{{1, 10}, {1, 10}, {1, 10}}, []int{400, 400, 400}},
		"as much as 400 allows":    {[]look{{8, 10}, {8, 10}}, []int{400, 400}},
		"five seconds of garbage":  {[]look{{20, 10}, {20, 10}, {20, 10}}, []int{400, 1000, 1000}},
		"no more than there is":    {[]look{{4000, 10}, {4000, 10}}, []int{400, 2560}},
		"a burst":                  {[]look{{1, 10}, {4000, 10}, {1, 10}, {1, 10}}, []int{400, 400, 400, 400}},
		"less garbage later":       {[]look{{20, 10}, {20, 10}, {1, 10}, {1, 10}}, []int{400, 1000, 1000, 1000}},
		"more is live":             {[]look{{40, 10}, {40, 10}, {40, 20}, {40, 100}}, []int{400, 2000, 1000, 400}},
		"not for a little more":    {[]look{{40, 10}, {40, 10}, {40, 11}}, []int{400, 2000, 2000}},
		"nothing is known to live": {[]look{{1, 0}, {1, 0}}, []int{400, 500}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := easing{most: 256 * mib, percent: collectorPercent}
			var allocated uint64
			for i, l := range c.looks {
				allocated += l.garbage * mib
				before := e.percent
				got, other := e.look(time.Second, allocated, l.live*mib)
				if got != c.want[i] || other != (got != before) {
					t.Errorf("look %d: %d, another one: %v; want %d", i+1, got, other, c.want[i])
				}
			}
		})
	}
}

func TestLimitsFollowFromMemory(t *testing.T) {
	t.Parallel()
	const mib, gib = 1 << 20, 1 << 30
	for m, want := range map[memory]struct {
		limit   int64
		garbage uint64
	}{
		{}:                                   {math.MaxInt64, 0}, // nothing is known
		{machine: gib}:                       {gib / 4, 32 * mib},
		{machine: 64 * gib}:                  {16 * gib, 384 * mib},
		{machine: 64 * gib, group: gib}:      {gib / 2, 32 * mib},
		{machine: 64 * gib, group: 60 * gib}: {16 * gib, 384 * mib},
		{machine: gib, group: 1 << 63}:       {gib / 4, 32 * mib}, // as good as no limit
		{group: gib}:                         {gib / 2, 32 * mib},
		{group: 1 << 63}:                     {1 << 62, 384 * mib},
	} {
		if limit, garbage := collectorLimit(m), garbageLimit(m); limit != want.limit || garbage != want.garbage {
			t.Errorf("%+v: a limit of %d, %d bytes of garbage; want %+v", m, limit, garbage, want)
		}
	}
}

// TestHeapIsKnown: what is tended by has the names that this version of Go knows.
func TestHeapIsKnown(t *testing.T) {
	before, _ := heap()
	kept := make([]byte, 1<<20)
	after, _ := heap()
	if after-before < uint64(len(kept)) || after > before+1<<30 {
		t.Errorf("%d bytes were allocated, and then %d", before, after)
	}
}
