package evidence

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Sorting words and sorting by comparison give the same order, ties included.
func TestOrderIsTheSameByWordsAndByComparison(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for name, c := range map[string]struct {
		row   func(i int) (major, minor uint64)
		words bool
	}{
		"calls of two loads": {func(i int) (uint64, uint64) { return uint64(i % 2), uint64(1e12) + uint64(r.IntN(5000)) }, true},
		"all equal":          {func(int) (uint64, uint64) { return 7, 7 }, true},
		"seldom high":        {func(i int) (uint64, uint64) { return uint64(i / 900), uint64(r.IntN(1 << 30)) }, true},
		"just fits":          {func(i int) (uint64, uint64) { return 0, uint64(i%2) * (1<<54 - 1) }, true},
		"just does not":      {func(i int) (uint64, uint64) { return 0, uint64(i%2) * (1 << 54) }, false},
		"extremes":           {func(i int) (uint64, uint64) { return uint64(i%2) * math.MaxUint64, r.Uint64() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 1000 // ten bits
			var rows [n][2]uint64
			want := make([]int32, n)
			for i := range rows {
				rows[i][0], rows[i][1] = c.row(i)
				want[i] = int32(i)
			}
			compare := func(a, b int) int {
				return cmp.Or(cmp.Compare(rows[a][0], rows[b][0]), cmp.Compare(rows[a][1], rows[b][1]))
			}
			slices.SortStableFunc(want, func(a, b int32) int { return compare(int(a), int(b)) })
			o := order{step: func() {}}
			key := func(i int) (major, minor uint64) { return rows[i][0], rows[i][1] }
			if got := o.of(n, key, compare); !slices.Equal(got, want) {
				t.Errorf("got %v", got[:20])
			}
			if words := len(o.words) > 0; words != c.words {
				t.Errorf("sorted by words: %v, want %v", words, c.words)
			}
			if got := o.of(n, nil, compare); !slices.Equal(got, want) {
				t.Errorf("by comparison: %v", got[:20])
			}
		})
	}
	var o order
	if got := o.of(0, nil, nil); len(got) != 0 {
		t.Errorf("no rows are %v", got)
	}
}
