package telemetry

import (
	"math"
	"sync/atomic"
	"time"
)

// Durations are counted in the buckets of a Prometheus native histogram of
// schema 3, which is what client_golang makes of a bucket factor of 1.1: eight
// buckets for each doubling, each 9.05 % wider than the one below. Bucket i holds
// what is above 2^((i-1)/8) and at most 2^(i/8) seconds. The range is fixed, and so
// is the most that a histogram can hold: from 2^-20 s (0.95 µs), below which all
// is one bucket, up to 2^17 s (36 h), above which all is in the last.
const (
	schema      = 3
	perDoubling = 1 << schema
	lowest      = -20 // log2 of the zero threshold in seconds
	highest     = 17
	numBuckets  = 1 + (highest-lowest)*perDoubling // the first is the zero bucket
)

// zeroThreshold is the upper edge of the zero bucket, in seconds.
const zeroThreshold = 1.0 / (1 << -lowest)

// mantissaBits are the bits of a float64 that the power of two is not in.
const mantissaBits = 52

// A doubling is cut into cells of equal width, told by the top bits of the
// mantissa. They are narrower than the narrowest bucket, so that none has more
// than one edge in it.
const cellBits = 4

type cell struct {
	edges int    // edges of buckets below the cell
	edge  uint64 // the mantissa of the edge in the cell; beyond all where there is none
}

var cells = func() (c [1 << cellBits]cell) {
	for i := range c {
		c[i].edge = math.MaxUint64
	}
	for j := range perDoubling {
		mantissa := math.Float64bits(math.Exp2(float64(j)/perDoubling)) & (1<<mantissaBits - 1)
		at := mantissa >> (mantissaBits - cellBits)
		c[at].edge = mantissa
		for i := at + 1; i < uint64(len(c)); i++ {
			c[i].edges = j + 1
		}
	}
	return c
}()

// bucketOf is the place of a duration among the numBuckets.
func bucketOf(d time.Duration) int {
	seconds := float64(d) * 1e-9 // where it is an edge of a bucket, exactly that
	if seconds <= zeroThreshold {
		return 0
	}
	bits := math.Float64bits(seconds)
	mantissa := bits & (1<<mantissaBits - 1)
	c := &cells[mantissa>>(mantissaBits-cellBits)]
	at := (int(bits>>mantissaBits)-1023-lowest)*perDoubling + c.edges
	if mantissa > c.edge {
		at++
	}
	return min(at, numBuckets-1)
}

// nativeIndex is the index that Prometheus has for the bucket at a place; the
// zero bucket has none.
func nativeIndex(at int) int { return at + lowest*perDoubling }

// edgeOf is the upper edge of the bucket at a place, in seconds.
func edgeOf(at int) float64 {
	return math.Exp2(float64(nativeIndex(at)) / perDoubling)
}

// counter counts durations. It may be used from many goroutines.
type counter struct {
	buckets [numBuckets]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
}

func (c *counter) observe(d time.Duration) {
	d = max(d, 0) // a sum that fell would look like a restart
	c.buckets[bucketOf(d)].Add(1)
	c.sum.Add(int64(d))
}

// histogram is what counters have counted.
type histogram struct {
	buckets [numBuckets]uint64
	sum     time.Duration
}

// add adds what a counter has counted, and tells how many durations that were.
func (h *histogram) add(c *counter) (n uint64) {
	for i := range c.buckets {
		more := c.buckets[i].Load()
		h.buckets[i] += more
		n += more
	}
	h.sum += time.Duration(c.sum.Load())
	return n
}

func (h *histogram) count() (n uint64) {
	for _, b := range h.buckets {
		n += b
	}
	return n
}

// quantile is the upper edge of the bucket that the quantile q lies in, zero
// where nothing was counted.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.count())))
	var seen uint64
	for i, n := range h.buckets {
		if seen += n; n > 0 && seen >= rank {
			return time.Duration(edgeOf(i) * float64(time.Second))
		}
	}
	return 0
}
