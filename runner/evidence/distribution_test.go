package evidence

import (
	"fmt"
	"testing"
	"time"
)

func TestPercentileNeedsTenValuesBeyondIt(t *testing.T) {
	for _, c := range []struct {
		n      int
		p      float64
		enough bool
	}{
		{19, 50, false}, {20, 50, true},
		{999, 99, false}, {1000, 99, true},
		{9_999, 99.9, false}, {10_000, 99.9, true},
		{99_999, 99.99, false}, {100_000, 99.99, true},
		{0, 50, false}, {0, 100, false}, {1, 100, true},
	} {
		d := newDistribution(phaseDigits)
		for i := range c.n {
			d.record(time.Duration(i+1) * time.Microsecond)
		}
		v, enough := d.Percentile(c.p)
		if enough != c.enough {
			t.Errorf("p%v of %d values: enough is %v", c.p, c.n, enough)
		}
		near(t, fmt.Sprintf("p%v of %d", c.p, c.n), 0.002, v, time.Duration(c.p/100*float64(c.n)+0.5)*time.Microsecond)
	}
}

func TestDistributionKeepsExtremesExactly(t *testing.T) {
	d := newDistribution(phaseDigits)
	for _, v := range []time.Duration{3*time.Hour + 1, 17, -5, 1234567891} {
		d.record(v)
	}
	if d.Min() != -5 || d.Max() != 3*time.Hour+1 || d.Count() != 4 {
		t.Errorf("min %v, max %v, count %d", d.Min(), d.Max(), d.Count())
	}
	if v, _ := d.Percentile(99); v > d.Max() || v < 59*time.Minute {
		t.Errorf("p99 of a value beyond the range is %v", v)
	}
	if want := (3*time.Hour + 1 + 17 - 5 + 1234567891) / 4; d.Mean()-want > 2 || want-d.Mean() > 2 {
		t.Errorf("mean %v, want %v", d.Mean(), want)
	}
	var empty *Distribution
	if _, enough := empty.Percentile(50); enough || empty.Count() != 0 || empty.Max() != 0 || empty.Min() != 0 || empty.Mean() != 0 || empty.Histogram().TotalCount() != 0 {
		t.Error("a nil distribution has values")
	}
}
