package evidence

import (
	"cmp"
	"math/bits"
	"slices"
)

// order sorts the rows of a group without moving them: they are large. Where the
// two numbers that rows are sorted by fit into a word together with the row's
// place, words are sorted, which is several times faster than rows by reference.
type order struct {
	words  []uint64
	spare  []uint64 // as many
	places []int32
	step   func() // is called between two pieces of the work
}

// of gives the places of rows in their order; it is valid until the next call.
func (o *order) of(n int, key func(int) (major, minor uint64), compare func(a, b int) int) []int32 {
	o.places = o.places[:0]
	if n == 0 {
		return o.places
	}
	if !o.byWords(n, key) {
		for i := range n {
			o.places = append(o.places, int32(i))
		}
		slices.SortFunc(o.places, func(a, b int32) int {
			return cmp.Or(compare(int(a), int(b)), cmp.Compare(a, b))
		})
	}
	return o.places
}

// byWords reports whether it could: the rows have keys, and these are near enough
// to each other.
func (o *order) byWords(n int, key func(int) (major, minor uint64)) bool {
	if key == nil {
		return false
	}
	major, minor := key(0)
	leastMajor, mostMajor, leastMinor, mostMinor := major, major, minor, minor
	for i := 1; i < n; i++ {
		if i%pieceRows == 0 {
			o.step()
		}
		major, minor = key(i)
		leastMajor, mostMajor = min(leastMajor, major), max(mostMajor, major)
		leastMinor, mostMinor = min(leastMinor, minor), max(mostMinor, minor)
	}
	forPlace := bits.Len(uint(n - 1))
	forMinor := bits.Len64(mostMinor - leastMinor)
	if bits.Len64(mostMajor-leastMajor)+forMinor+forPlace > 64 {
		return false
	}
	o.words = o.words[:0]
	for i := range n {
		if i%pieceRows == 0 {
			o.step()
		}
		major, minor = key(i)
		o.words = append(o.words, ((major-leastMajor)<<forMinor|(minor-leastMinor))<<forPlace|uint64(i))
	}
	o.sortWords(forPlace, forPlace+forMinor+bits.Len64(mostMajor-leastMajor))
	for _, w := range o.words {
		o.places = append(o.places, int32(w&(1<<forPlace-1)))
	}
	return true
}

// pieceRows is how many rows are looked at in one piece of work.
const pieceRows = 1 << 11

// digit is how many bits of the words are sorted by at a time.
const digit = 11

// sortWords sorts the words, which are in the order of what is below the bit from,
// by the bits up to the bit to. A pass for each digit keeps the order of those
// before; where that would be many, comparing is cheaper.
func (o *order) sortWords(from, to int) {
	if to-from > 3*digit {
		slices.Sort(o.words)
		return
	}
	o.spare = slices.Grow(o.spare[:0], len(o.words))[:len(o.words)]
	for ; from < to; from += digit {
		o.step()
		var next [1 << digit]int32 // the place of the next word with a digit
		for _, w := range o.words {
			next[w>>from&(1<<digit-1)]++
		}
		place := int32(0)
		for d, n := range next {
			next[d] = place
			place += n
		}
		for _, w := range o.words {
			at := &next[w>>from&(1<<digit-1)]
			o.spare[*at] = w
			*at++
		}
		o.words, o.spare = o.spare, o.words
	}
}
