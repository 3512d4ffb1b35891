package main

import (
	"math"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// The percentiles that are compared. The last is the greatest value.
var percentiles = [...]float64{50, 90, 99, 99.9, 100}

var columns = [len(percentiles)]string{"p50", "p90", "p99", "p99.9", "max"}

// figure is one percentile; told is false where there is none to be had.
type figure struct {
	value time.Duration
	told  bool
}

// figures are the percentiles of some calls or messages.
type figures struct {
	count int64
	at    [len(percentiles)]figure
}

// beyond is how many values must lie above a percentile before it is told.
const beyond = 10

// exactly gives the figures of values as they are: the p-th percentile is the
// least value that p percent do not exceed.
func exactly(values []time.Duration) figures {
	values = slices.Clone(values)
	slices.Sort(values)
	f := figures{count: int64(len(values))}
	for i, p := range percentiles {
		if len(values) == 0 {
			break
		}
		rank := max(int(math.Ceil(p/100*float64(len(values))-1e-6)), 1)
		f.at[i] = figure{values[rank-1], p == 100 || len(values)-rank >= beyond}
	}
	return f
}

// reported are the figures that Ordeal reports.
func reported(d *evidence.Distribution) figures {
	f := figures{count: d.Count()}
	for i, p := range percentiles {
		f.at[i].value, f.at[i].told = d.Percentile(p)
	}
	return f
}

// The bounds on an error, of which the wider counts.
const (
	boundShare = 0.02
	boundTime  = time.Millisecond
)

// judgement is what a comparison comes to, by column.
type judgement [len(percentiles)]mark

type mark uint8

const (
	untold mark = iota // neither has it: nothing to compare
	within
	off
	missing // the truth has it and the report does not
)

// judge holds figures against the truth.
func judge(truth, got figures) judgement { return judgeBetween(truth, truth, got) }

// judgeBetween holds figures against a truth that is known to lie between two.
func judgeBetween(least, most, got figures) judgement {
	var j judgement
	for i := range percentiles {
		t, g := most.at[i], got.at[i]
		switch {
		case !t.told && !g.told:
			j[i] = untold
		case !g.told:
			j[i] = missing
		case !t.told || g.value < least.at[i].value-bound(least.at[i].value) || g.value > t.value+bound(t.value):
			j[i] = off
		default:
			j[i] = within
		}
	}
	return j
}

// bound is how far a figure may be from the truth.
func bound(truth time.Duration) time.Duration {
	return max(time.Duration(boundShare*float64(truth)), boundTime)
}

// holds reports whether every figure that the truth has is there and within
// bounds. Without any there is nothing that holds.
func (j judgement) holds() bool {
	some := false
	for _, m := range j {
		if m == off || m == missing {
			return false
		}
		some = some || m == within
	}
	return some
}
