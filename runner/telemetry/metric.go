package telemetry

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// value makes a counter or gauge of the family. A counter tells since when it
// counts, so that one that starts anew is known for what it is.
func (f *family) value(v float64, since time.Time, labels ...string) prometheus.Metric {
	var m prometheus.Metric
	var err error
	if f.kind == prometheus.CounterValue {
		m, err = prometheus.NewConstMetricWithCreatedTimestamp(f.desc, f.kind, v, since, labels...)
	} else {
		m, err = prometheus.NewConstMetric(f.desc, f.kind, v, labels...)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(f.desc, err)
	}
	return m
}

// classicLowest and classicHighest are log2 of the edges in seconds between
// which classic buckets lie: 15 µs to 64 s, a bucket for each doubling.
const (
	classicLowest  = -16
	classicHighest = 6
)

// histogram makes a native histogram of the family, with classic buckets besides
// for scrapers that do not know native ones. Every classic edge is the edge of a
// native bucket, so both say the same.
func (f *family) histogram(h *histogram, since time.Time, labels ...string) prometheus.Metric {
	native := make(map[int]int64)
	var classic []*dto.Bucket
	var count uint64
	for at, n := range h.buckets {
		count += n
		if at > 0 && n > 0 {
			native[nativeIndex(at)] = int64(n)
		}
		if doubling := lowest + at/perDoubling; at%perDoubling == 0 && doubling >= classicLowest && doubling <= classicHighest {
			classic = append(classic, &dto.Bucket{CumulativeCount: new(count), UpperBound: new(math.Ldexp(1, doubling))})
		}
	}
	m, err := prometheus.NewConstNativeHistogram(
		f.desc, count, h.sum.Seconds(), native, nil, h.buckets[0], schema, zeroThreshold, since, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(f.desc, err)
	}
	return withClassic{m, classic}
}

// withClassic is a native histogram with classic buckets.
type withClassic struct {
	prometheus.Metric
	buckets []*dto.Bucket
}

// Write implements prometheus.Metric.
func (m withClassic) Write(out *dto.Metric) error {
	if err := m.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = m.buckets
	return nil
}
