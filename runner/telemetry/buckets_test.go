package telemetry

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// nativeBuckets unfolds the buckets of a native histogram: how many by index.
func nativeBuckets(h *dto.Histogram) map[int]int64 {
	counts := make(map[int]int64)
	var index, delta int
	var n int64
	for _, span := range h.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			n += h.GetPositiveDelta()[delta]
			delta++
			if n > 0 {
				counts[index] = n
			}
			index++
		}
	}
	return counts
}

// durations are edges of buckets, what lies beside them, and many at random.
func durations() []time.Duration {
	var ds []time.Duration
	for _, edge := range []time.Duration{ // whole powers of two in seconds
		time.Second / 512, time.Second / 64, time.Second / 2, time.Second, 2 * time.Second, 64 * time.Second, 1 << 16 * time.Second,
	} {
		ds = append(ds, edge-1, edge, edge+1)
	}
	for at := range numBuckets {
		d := time.Duration(edgeOf(at) * 1e9)
		ds = append(ds, d, d+1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		ds = append(ds, time.Duration(math.Exp2(random.Float64()*46.5))) // up to 28 h
	}
	return ds
}

// The client library is the reference for which bucket a duration is in.
func TestBucketsAreThoseOfTheClientLibrary(t *testing.T) {
	reference := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "h", NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: zeroThreshold,
	})
	var c counter
	for _, d := range durations() {
		if d.Seconds() > edgeOf(numBuckets-1) {
			continue // beyond our last bucket
		}
		reference.Observe(d.Seconds())
		c.observe(d)
	}
	var h histogram
	h.add(&c)
	var want, got dto.Metric
	if err := reference.Write(&want); err != nil {
		t.Fatal(err)
	}
	if err := newFamilies().lag.histogram(&h, time.Now(), "s", "l").Write(&got); err != nil {
		t.Fatal(err)
	}
	w, g := want.GetHistogram(), got.GetHistogram()
	if g.GetSchema() != w.GetSchema() || g.GetZeroThreshold() != w.GetZeroThreshold() {
		t.Fatalf("schema %d, zero threshold %g; want %d, %g", g.GetSchema(), g.GetZeroThreshold(), w.GetSchema(), w.GetZeroThreshold())
	}
	if g.GetSampleCount() != w.GetSampleCount() || g.GetZeroCount() != w.GetZeroCount() || g.GetZeroCount() == 0 {
		t.Errorf("%d durations, %d in the zero bucket; want %d, %d", g.GetSampleCount(), g.GetZeroCount(), w.GetSampleCount(), w.GetZeroCount())
	}
	if math.Abs(g.GetSampleSum()-w.GetSampleSum()) > 1e-9*w.GetSampleSum() {
		t.Errorf("sum %g, want %g", g.GetSampleSum(), w.GetSampleSum())
	}
	if gb, wb := nativeBuckets(g), nativeBuckets(w); !maps.Equal(gb, wb) {
		for i, n := range wb {
			if gb[i] != n {
				t.Errorf("bucket %d up to %gs has %d, want %d", i, math.Exp2(float64(i)/perDoubling), gb[i], n)
			}
		}
	}
}

func TestBucketsHoldEveryDuration(t *testing.T) {
	for d, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, 953: 0, 954: 1, math.MaxInt64: numBuckets - 1, 40 * time.Hour: numBuckets - 1,
	} {
		if got := bucketOf(d); got != want {
			t.Errorf("%v is in bucket %d, want %d", d, got, want)
		}
	}
}

func TestClassicBucketsCountWhatIsBelowTheirEdge(t *testing.T) {
	var c counter
	for _, d := range durations() {
		c.observe(d)
	}
	var h histogram
	h.add(&c)
	var m dto.Metric
	if err := newFamilies().lag.histogram(&h, time.Now(), "s", "l").Write(&m); err != nil {
		t.Fatal(err)
	}
	buckets := m.GetHistogram().GetBucket()
	if len(buckets) != classicHighest-classicLowest+1 {
		t.Fatalf("%d classic buckets", len(buckets))
	}
	for i, b := range buckets {
		if want := math.Ldexp(1, classicLowest+i); b.GetUpperBound() != want {
			t.Errorf("edge %d is %gs, want %gs", i, b.GetUpperBound(), want)
		}
		var want uint64
		for _, d := range durations() {
			if d.Seconds() <= b.GetUpperBound() {
				want++
			}
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("%d up to %gs, want %d", b.GetCumulativeCount(), b.GetUpperBound(), want)
		}
	}
}

func TestCounterNeverFalls(t *testing.T) {
	var c counter
	c.observe(-time.Second)
	var h histogram
	if n := h.add(&c); n != 1 || h.sum != 0 {
		t.Errorf("%d durations, sum %v", n, h.sum)
	}
}

func TestQuantileIsTheUpperEdgeOfItsBucket(t *testing.T) {
	var c counter
	for i := range 1000 {
		d := 10 * time.Millisecond
		if i >= 985 {
			d = 800 * time.Millisecond
		}
		c.observe(d)
	}
	var h histogram
	h.add(&c)
	for q, want := range map[float64]time.Duration{0.5: 10 * time.Millisecond, 0.985: 10 * time.Millisecond, 0.986: 800 * time.Millisecond, 1: 800 * time.Millisecond} {
		if got := h.quantile(q); got < want || got > want*110/100 {
			t.Errorf("quantile %g is %v, want %v or up to 10 %% more", q, got, want)
		}
	}
	if got := (&histogram{}).quantile(0.99); got != 0 {
		t.Errorf("a quantile of nothing is %v", got)
	}
}
