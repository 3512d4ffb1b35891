package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// limit is what a measured value must keep to: an interval whose ends may be
// open. It is written as "< 50ms", "<= 3", "> 99%", "= 0" or "0..5" (both ends
// belong to it). Values are kept in the base unit of their kind: seconds,
// shares of one, counts, per second.
type limit struct {
	text          string
	low, high     float64
	lowIn, highIn bool
	unit          unit
}

// unit is how values of one kind are written and read.
type unit struct {
	want   string // what the text of a limit should have been
	parse  func(string) (float64, error)
	format func(float64) string
}

// holds reports whether v keeps to the limit. NaN never does.
func (l limit) holds(v float64) bool {
	below := v < l.high || l.highIn && v == l.high
	return l.reached(v) && below
}

// reached reports whether v is not below the limit.
func (l limit) reached(v float64) bool { return v > l.low || l.lowIn && v == l.low }

// exceeded reports whether v is above the limit.
func (l limit) exceeded(v float64) bool { return v > l.high || !l.highIn && v == l.high }

// capped reports whether the limit is of the kind that a greater value can break.
func (l limit) capped() bool { return !math.IsInf(l.high, 1) }

// floored reports whether the limit is of the kind that a smaller value can break.
func (l limit) floored() bool { return !math.IsInf(l.low, -1) }

// oneSided tells whether a limit bounds from below alone, or from above alone.
func oneSided(l limit) (atLeast, atMost bool) {
	return l.floored() && !l.capped(), l.capped() && !l.floored()
}

// String is the limit as it was written, evenly spaced.
func (l limit) String() string { return l.text }

// MarshalText writes the limit as String does.
func (l limit) MarshalText() ([]byte, error) { return []byte(l.text), nil }

// room is how far v is within the limit, as a share of the limit: negative when
// over it, infinite where the limit is zero and a share of it means nothing.
func (l limit) room(v float64) float64 {
	room := math.Inf(1)
	if l.capped() && l.high != 0 {
		room = (l.high - v) / math.Abs(l.high)
	}
	if l.floored() && l.low != 0 {
		room = math.Min(room, (v-l.low)/math.Abs(l.low))
	}
	return room
}

// margin is the room left in percent, "" where that means nothing: an equality,
// or a limit of zero.
func (l limit) margin(v float64) string {
	room := l.room(v)
	if l.low == l.high || math.IsInf(room, 0) || math.IsNaN(room) {
		return ""
	}
	return formatMargin(room)
}

func parseLimit(text string, u unit) (limit, error) {
	wrong := func(cause error) (limit, error) {
		if cause != nil {
			return limit{}, fmt.Errorf("%q: %w; want %s", text, cause, u.want)
		}
		return limit{}, fmt.Errorf("%q: want %s", text, u.want)
	}
	s := strings.TrimSpace(text)
	if low, high, ok := strings.Cut(s, ".."); ok {
		return parseRange(strings.TrimSpace(low), strings.TrimSpace(high), u, wrong)
	}
	var op string
	for _, o := range []string{"<=", ">=", "<", ">", "="} {
		if rest, ok := strings.CutPrefix(s, o); ok {
			op, s = o, strings.TrimSpace(rest)
			break
		}
	}
	if op == "" {
		return wrong(nil)
	}
	v, err := u.parse(s)
	if err != nil {
		return wrong(err)
	}
	l := limit{text: op + " " + s, low: math.Inf(-1), high: math.Inf(1), unit: u}
	switch op {
	case "<", "<=":
		l.high, l.highIn = v, op == "<="
	case ">", ">=":
		l.low, l.lowIn = v, op == ">="
	default:
		l.low, l.high, l.lowIn, l.highIn = v, v, true, true
	}
	return l, nil
}

func parseRange(low, high string, u unit, wrong func(error) (limit, error)) (limit, error) {
	lo, err := u.parse(low)
	if err != nil {
		return wrong(err)
	}
	hi, err := u.parse(high)
	if err != nil {
		return wrong(err)
	}
	if lo > hi {
		return wrong(fmt.Errorf("%s is more than %s", low, high))
	}
	return limit{text: low + ".." + high, low: lo, high: hi, lowIn: true, highIn: true, unit: u}, nil
}

// DurationLimit bounds a duration: "< 50ms".
type DurationLimit struct{ limit }

// UnmarshalText reads a limit such as "< 50ms" or "10ms..2s".
func (l *DurationLimit) UnmarshalText(b []byte) (err error) {
	l.limit, err = parseLimit(string(b), durations)
	return err
}

// Examples are texts that are accepted.
func (DurationLimit) Examples() []string { return []string{"< 50ms", "10ms..2s"} }

// RatioLimit bounds a share: "< 0.1%".
type RatioLimit struct{ limit }

// UnmarshalText reads a limit such as "< 0.1%" or "30%..60%".
func (l *RatioLimit) UnmarshalText(b []byte) (err error) {
	l.limit, err = parseLimit(string(b), shares)
	return err
}

// Examples are texts that are accepted.
func (RatioLimit) Examples() []string { return []string{"< 0.1%", "> 99%", "30%..60%"} }

// CountLimit bounds a count: "<= 3".
type CountLimit struct{ limit }

// UnmarshalText reads a limit such as "<= 3" or "0..5".
func (l *CountLimit) UnmarshalText(b []byte) (err error) {
	l.limit, err = parseLimit(string(b), counts)
	return err
}

// Examples are texts that are accepted.
func (CountLimit) Examples() []string { return []string{"<= 3", "= 0", "0..5"} }

// RateLimit bounds a rate: "> 290/s".
type RateLimit struct{ limit }

// UnmarshalText reads a limit such as "> 290/s" or "< 20/m".
func (l *RateLimit) UnmarshalText(b []byte) (err error) {
	l.limit, err = parseLimit(string(b), rates)
	return err
}

// Examples are texts that are accepted.
func (RateLimit) Examples() []string { return []string{"> 290/s", "< 20/m"} }

// NumberLimit bounds the value of a metric: "< 1", "<= 64MiB".
type NumberLimit struct{ limit }

// UnmarshalText reads a limit such as "< 0.5", "<= 64MiB" or "0..5".
func (l *NumberLimit) UnmarshalText(b []byte) (err error) {
	l.limit, err = parseLimit(string(b), numbers)
	return err
}

// Examples are texts that are accepted.
func (NumberLimit) Examples() []string { return []string{"< 1", "<= 64MiB", "0..5"} }

// Share is a part of a whole, written in percent.
type Share float64

// UnmarshalText reads a share such as "99.9%", from 0% to 100%.
func (s *Share) UnmarshalText(b []byte) error {
	v, err := parseShare(strings.TrimSpace(string(b)))
	if err != nil || v > 1 {
		return fmt.Errorf(`%q: want a share from 0%% to 100%%, such as "99.9%%"`, b)
	}
	*s = Share(v)
	return nil
}

// Examples are texts that are accepted.
func (Share) Examples() []string { return []string{"99.9%", "100%"} }

// String writes the share in percent.
func (s Share) String() string { return formatShare(float64(s)) }

var (
	durations = unit{`a limit on a duration, such as "< 50ms", ">= 2s" or "10ms..2s"`, parseSeconds, formatSeconds}
	shares    = unit{`a limit on a share, such as "< 0.1%", "> 99%" or "30%..60%"`, parseShare, formatShare}
	counts    = unit{`a limit on a count, such as "<= 3", "= 0" or "0..5"`, parseCount, formatNumber}
	rates     = unit{`a limit on a rate, such as "> 290/s" or "< 20/m"`, parseRate, formatRate}
	numbers   = unit{`a limit on a number, such as "< 1", "<= 64MiB" or "0..5"`, parseNumber, formatNumber}
)

func parseSeconds(s string) (float64, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration with a unit", s)
	case d < 0:
		return 0, fmt.Errorf("%s is negative", s)
	}
	return d.Seconds(), nil
}

func parseShare(s string) (float64, error) {
	digits, ok := strings.CutSuffix(s, "%")
	if !ok && s != "0" {
		return 0, fmt.Errorf("%q has no percent sign", s)
	}
	v, err := parseFinite(strings.TrimSpace(digits))
	switch {
	case err != nil:
		return 0, err
	case v < 0 || v > 100:
		return 0, fmt.Errorf("%s is not between 0%% and 100%%", s)
	}
	return v / 100, nil
}

func parseCount(s string) (float64, error) {
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	return float64(n), nil
}

func parseRate(s string) (float64, error) {
	digits, per, ok := strings.Cut(s, "/")
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(per)]
	if !ok || seconds == 0 {
		return 0, fmt.Errorf("%q is not per second, minute or hour (/s, /m, /h)", s)
	}
	v, err := parseFinite(strings.TrimSpace(digits))
	switch {
	case err != nil:
		return 0, err
	case v < 0:
		return 0, fmt.Errorf("%s is negative", s)
	}
	return v / seconds, nil
}

func parseNumber(s string) (float64, error) {
	for suffix, factor := range map[string]float64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			v, err := parseFinite(strings.TrimSpace(digits))
			return v * factor, err
		}
	}
	return parseFinite(s)
}

func parseFinite(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}
