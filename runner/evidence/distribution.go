package evidence

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold nanoseconds from 1 ns to one hour. What is outside is
// recorded at the nearer end; Min and Max stay exact.
const (
	highest     = int64(time.Hour)
	phaseDigits = 3
	sliceDigits = 2

	// beyond is how many values must lie above a percentile for it to be told:
	// p99.9 needs 10,000 values.
	beyond = 10
)

// Distribution is how a duration was spread over calls: an HDR histogram of
// nanoseconds, with the exact least and greatest value beside it. All methods
// work on a nil or empty Distribution and then give zero.
type Distribution struct {
	hist     *hdrhistogram.PackedHistogram
	dense    *hdrhistogram.Histogram // takes values while there are many, until settle; else nil
	count    int64
	min, max time.Duration
	sum      float64 // ns
}

func newDistribution(digits int) *Distribution {
	return &Distribution{hist: hdrhistogram.NewPacked(1, highest, digits)}
}

func newDense(digits int) *hdrhistogram.Histogram { return hdrhistogram.New(1, highest, digits) }

// Count is the number of values.
func (d *Distribution) Count() int64 {
	if d == nil {
		return 0
	}
	return d.count
}

// Min is the least value, exactly.
func (d *Distribution) Min() time.Duration {
	if d == nil {
		return 0
	}
	return d.min
}

// Max is the greatest value, exactly.
func (d *Distribution) Max() time.Duration {
	if d == nil {
		return 0
	}
	return d.max
}

// Mean is the arithmetic mean, not rounded by the histogram.
func (d *Distribution) Mean() time.Duration {
	if d.Count() == 0 {
		return 0
	}
	return time.Duration(d.sum / float64(d.Count()))
}

// Percentile is the value that p percent of the values do not exceed (p from 0
// to 100, as in 99.9), to the digits of the histogram and never above Max.
// enough says whether it may be told at all: at least 10 values must lie
// beyond it, else it is a statement about a handful of calls. Percentile(100)
// is Max, which is a fact as soon as there is one value.
func (d *Distribution) Percentile(p float64) (value time.Duration, enough bool) {
	n := d.Count()
	if n == 0 || math.IsNaN(p) {
		return 0, false
	}
	if p >= 100 {
		return d.max, true
	}
	p = max(p, 0)
	v := min(time.Duration(d.hist.ValueAtPercentile(p)), d.max)
	return max(v, d.min), n-rank(p, n) >= beyond
}

// rank is how many of n values the p-th percentile covers. The small slack
// keeps 99.9 % of 10,000 at 9,990 in binary arithmetic.
func rank(p float64, n int64) int64 {
	return int64(math.Ceil(p/100*float64(n) - 1e-6))
}

// Merge adds the values of another distribution. Percentiles of several
// phases come from merged distributions, never from averaged percentiles.
func (d *Distribution) Merge(o *Distribution) {
	if o.Count() == 0 {
		return
	}
	if d.Count() == 0 {
		d.min, d.max = o.min, o.max
	}
	d.min, d.max = min(d.min, o.min), max(d.max, o.max)
	d.count += o.count
	d.sum += o.sum
	d.hist.Merge(o.hist)
}

// Buckets visits the filled buckets in order of value: the least value that
// falls into the bucket, and how many values are in it.
func (d *Distribution) Buckets(yield func(value time.Duration, count int64) bool) {
	if d == nil {
		return
	}
	d.hist.ForEachBucket(func(v, n int64) bool { return yield(time.Duration(v), n) })
}

// Histogram is a copy in the library's dense form, in nanoseconds, for those
// who write HDR files. It takes about 260 KB with three digits.
func (d *Distribution) Histogram() *hdrhistogram.Histogram {
	digits := phaseDigits
	if d != nil {
		digits = int(d.hist.SignificantFigures())
	}
	h := newDense(digits)
	d.Buckets(func(v time.Duration, n int64) bool {
		return h.RecordValues(int64(v), n) == nil
	})
	return h
}

func (d *Distribution) record(v time.Duration) {
	if d.count == 0 {
		d.min, d.max = v, v
	}
	d.count++
	d.min, d.max = min(d.min, v), max(d.max, v)
	d.sum += float64(v)
	// Recording cannot fail: the value is held within the histogram's range.
	held := min(max(int64(v), 0), highest)
	if d.dense != nil {
		_ = d.dense.RecordValue(held)
		return
	}
	_ = d.hist.RecordValue(held)
}

// settle moves what the dense histogram took to where it is read, and gives the
// dense one back, empty.
func (d *Distribution) settle() *hdrhistogram.Histogram {
	dense := d.dense
	d.dense = nil
	if dense != nil {
		d.hist.MergeFrom(dense)
		dense.Reset()
	}
	return dense
}
