package reports

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// needed is how many values must lie beyond a percentile for it to be told.
const needed = 10

// missing stands where there is nothing to tell.
const missing = "–"

// duration writes a latency with three digits: "850µs", "12.4ms", "1.24s",
// "2m05s".
func duration(d time.Duration) string {
	if d < 0 {
		return "-" + duration(-d)
	}
	switch {
	case d == 0:
		return "0"
	case d < time.Microsecond:
		return strconv.Itoa(int(d)) + "ns"
	case d < 999_500*time.Nanosecond:
		return three(float64(d)/1e3) + "µs"
	case d < 999_500*time.Microsecond:
		return three(float64(d)/1e6) + "ms"
	case d < 99_950*time.Millisecond:
		return three(float64(d)/1e9) + "s"
	}
	return span(d)
}

// plain writes a duration that a person set: "2s", "250ms", "1m30s".
func plain(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// optional is duration, or a dash where it is not told.
func optional(d *time.Duration) string {
	if d == nil {
		return missing
	}
	return duration(*d)
}

// span writes a stretch of time to the second: "38s", "2m05s", "1h02m".
func span(d time.Duration) string {
	s := int64(math.Round(d.Seconds()))
	switch {
	case s < 60:
		return strconv.FormatInt(s, 10) + "s"
	case s < 3600:
		return strconv.FormatInt(s/60, 10) + "m" + two(s%60) + "s"
	}
	return strconv.FormatInt(s/3600, 10) + "h" + two(s/60%60) + "m"
}

// offset writes a time of the timeline: "+12.3s".
func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "−", -d
	}
	return sign + strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
}

func two(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// three writes a number of at least one with three digits.
func three(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
}

// perSecond writes a rate: "300/s", "12.5/s", "0.50/s".
func perSecond(r float64) string {
	switch {
	case math.IsNaN(r) || math.IsInf(r, 0):
		return missing
	case r == 0:
		return "0/s"
	case r < 10:
		return strconv.FormatFloat(r, 'f', 2, 64) + "/s"
	case r < 100:
		return strconv.FormatFloat(r, 'f', 1, 64) + "/s"
	}
	return thousands(int64(math.Round(r))) + "/s"
}

// percent writes a share: "0%", "0.02%", "1.5%", "100%". What is not nothing
// is never written as 0%, what is not everything never as 100%.
func percent(share float64) string {
	p := share * 100
	switch {
	case p <= 0:
		return "0%"
	case p < 0.01:
		return "<0.01%"
	case p < 1:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	case p >= 100:
		return "100%"
	case p >= 99.95:
		return ">99.9%"
	}
	return strings.TrimSuffix(strconv.FormatFloat(p, 'f', 1, 64), ".0") + "%"
}

// thousands groups digits: "12,400".
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(s, "-")
	var b strings.Builder
	b.WriteString(s[:len(s)-len(digits)])
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// size writes bytes: "512 B", "1.2 MB".
func size(n int64) string {
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, u := float64(n)/1000, 0
	for f >= 999.5 && u < len(units)-1 {
		f, u = f/1000, u+1
	}
	return three(f) + " " + units[u]
}

// clean makes text of unknown origin harmless on a terminal and valid in XML:
// control characters, and those that turn the direction of writing, become
// U+FFFD; line ends and tabs become spaces.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff',
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f',
			r == '\ufffe', r == '\uffff':
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
