package load

import (
	"math"
	"sort"
	"time"
)

// poisson is a Poisson process whose rate is that of the line, and which is
// nevertheless pure in n.
//
// A process with one arrival in a unit of time on average is laid out in
// blocks of 64 units. How many arrivals a block has is a Poisson number drawn
// by hash(seed, block); given their number, arrivals of a Poisson process are
// spread like that many uniform points, and the i-th smallest of k uniform
// points is the sum of the first i of k+1 exponential gaps over the sum of all
// of them (Devroye, Non-Uniform Random Variate Generation, 1986, ch. V.2).
// Each gap is drawn by hash(seed, block, i). Time rescaling turns the process
// into one with the wanted rate: arrival u of the unit process happens when the
// integral of the rate reaches u.
type poisson struct {
	line   *line
	seed   uint64
	before []uint64 // arrivals before each block; one more entry than blocks
	count  uint64   // arrivals before the line's end
}

// blockUnits is the length of a block: long enough to keep the table short,
// short enough that At adds up few gaps.
const blockUnits = 64

// countsUpTo is the distribution function of the number of arrivals in a block.
var countsUpTo = func() (table [4 * blockUnits]float64) {
	p := math.Exp(-blockUnits)
	sum := p
	for k := range table {
		table[k] = sum
		p *= blockUnits / float64(k+1)
		sum += p
	}
	return table
}()

func newPoisson(l *line, seed uint64) *poisson {
	blocks := int(math.Ceil(l.total / blockUnits))
	p := &poisson{line: l, seed: seed, before: make([]uint64, blocks+1)}
	for b := range blocks {
		u := uniform(mix(mix(seed, uint64(b)), math.MaxUint64))
		k := sort.SearchFloat64s(countsUpTo[:], u)
		p.before[b+1] = p.before[b] + uint64(k)
	}
	if blocks > 0 {
		// The last block reaches past the end: what is there never starts.
		p.count = p.before[blocks-1]
		for p.count < p.before[blocks] && p.arrival(p.count) < l.total {
			p.count++
		}
	}
	return p
}

// arrival is the time of arrival n in the process of rate one.
func (p *poisson) arrival(n uint64) float64 {
	block := sort.Search(len(p.before), func(b int) bool { return p.before[b] > n }) - 1
	index, points := n-p.before[block], p.before[block+1]-p.before[block]
	key := mix(p.seed, uint64(block))
	var upto, all float64
	for i := range points + 1 {
		all += exponential(mix(key, i))
		if i == index {
			upto = all
		}
	}
	return blockUnits * (float64(block) + upto/all)
}

func (p *poisson) At(n uint64) (time.Duration, bool) {
	if n >= p.count {
		return 0, false
	}
	return p.line.when(p.arrival(n)), true
}
