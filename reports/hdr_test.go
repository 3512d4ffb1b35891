package reports

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// curve reads a percentile distribution as plotters do: value in ms and count
// by percentile.
func curve(t *testing.T, text string) (percentile, value []float64, count []int64) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 4 || strings.HasPrefix(f[0], "#") || f[0] == "Value" {
			continue
		}
		v, err1 := strconv.ParseFloat(f[0], 64)
		p, err2 := strconv.ParseFloat(f[1], 64)
		n, err3 := strconv.ParseInt(f[2], 10, 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		percentile, value, count = append(percentile, p), append(value, v), append(count, n)
	}
	return percentile, value, count
}

func TestHGRM(t *testing.T) {
	d := known(t)
	p, v, n := curve(t, written(t, d, "hgrm", Selection{Loads: []string{"browse"}, Phases: []string{"steady"}}))
	if len(p) < 20 || n[len(n)-1] != 1000 || p[len(p)-1] != 1 {
		t.Fatalf("the curve has %d points and ends at %v", len(p), n)
	}
	for i := range p {
		want := 2.0
		if p[i] > 0.985 {
			want = 100
		}
		if v[i] < want*0.998 || v[i] > want*1.002 {
			t.Errorf("at %v the value is %v ms, want %v", p[i], v[i], want)
		}
		if i > 0 && (p[i] < p[i-1] || n[i] < n[i-1]) {
			t.Errorf("the curve goes back at %v", p[i])
		}
	}
	// Of all but warmup, of one phase by its name, and of two.
	for phases, want := range map[string]int64{"": 1100, "warmup": 100, "warmup steady": 1100, "steady outage": 1100} {
		_, _, n := curve(t, written(t, d, "hgrm", Selection{Loads: []string{"browse"}, Phases: strings.Fields(phases)}))
		if got := n[len(n)-1]; got != want {
			t.Errorf("%q has %d calls, want %d", phases, got, want)
		}
	}
}

func TestHGRMListsTheChoices(t *testing.T) {
	d := known(t)
	for want, of := range map[string]Selection{
		"choose one with --load: browse, streams":         {},
		`no load "brows": it has browse, streams`:         {Loads: []string{"brows"}},
		`no phase "stead": it has warmup, steady, outage`: {Loads: []string{"browse"}, Phases: []string{"stead"}},
		"no call of streams in outage":                    {Loads: []string{"streams"}, Phases: []string{"outage"}},
	} {
		r, _ := renderer(t, "hgrm", of)
		var b bytes.Buffer
		if err := r(&b, d); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%+v: got %v and %d bytes, want %q and none", of, err, b.Len(), want)
		}
	}
}

func TestHLog(t *testing.T) {
	d := known(t)
	for load, want := range map[string][]int64{"browse": {100, 500, 500, 100}, "streams": {25, 25}} {
		in := hdrhistogram.NewHistogramLogReader(strings.NewReader(written(t, d, "hlog", Selection{Loads: []string{load}})))
		var got []int64
		for {
			h, err := in.NextIntervalHistogram()
			if err != nil {
				t.Fatal(err)
			}
			if h == nil {
				break
			}
			if h.Tag() != load {
				t.Errorf("the tag is %q, want %q", h.Tag(), load)
			}
			if load == "browse" {
				begin := d.Run.Base.Add(at(float64(len(got))))
				if off := time.UnixMilli(h.StartTimeMs()).Sub(begin).Abs(); off > 2*ms || h.EndTimeMs()-h.StartTimeMs() != 1000 {
					t.Errorf("interval %d begins %v off, and takes %d ms", len(got), off, h.EndTimeMs()-h.StartTimeMs())
				}
			}
			got = append(got, h.TotalCount())
			if load == "browse" && len(got) == 1 && (h.Max() < int64(5*ms) || h.Max() > int64(5*ms)*102/100) {
				t.Errorf("the greatest of warmup is %d ns, want 5 ms to two digits", h.Max())
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s has %v calls by interval, want %v", load, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s has %v calls by interval, want %v", load, got, want)
			}
		}
	}
}

func TestHLogOfHostileNamesIsRead(t *testing.T) {
	run, j := hostileRun(t)
	in := hdrhistogram.NewHistogramLogReader(strings.NewReader(written(t, build(t, run, j), "hlog", Selection{})))
	var calls int64
	for {
		h, err := in.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		calls += h.TotalCount()
	}
	if calls != 14_001 {
		t.Errorf("%d calls, want 14,001", calls)
	}
}
