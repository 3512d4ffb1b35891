package verdict

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// formatSeconds writes a duration given in seconds, to three digits.
func formatSeconds(s float64) string {
	if math.IsNaN(s) || math.Abs(s) > math.MaxInt64/1e9 {
		return "unknown"
	}
	return formatDuration(time.Duration(s * float64(time.Second)))
}

// formatDuration writes a duration to three digits: "12.4ms", "1.93s".
func formatDuration(d time.Duration) string {
	step := time.Duration(1)
	for abs := d.Abs(); abs/step >= 1000; {
		step *= 10
	}
	if d.Abs() >= 100*time.Second {
		step = time.Second
	}
	return d.Round(step).String()
}

// formatShare writes a share of one in percent, with the digits that tell a
// small failure ratio from none and 99.99% from 100%.
func formatShare(v float64) string {
	percent := v * 100
	digits := 2
	for near := math.Min(math.Abs(percent), math.Abs(100-percent)); near > 1e-9 && near < 0.1 && digits < 6; near *= 10 {
		digits++
	}
	return trimZeros(strconv.FormatFloat(percent, 'f', digits, 64)) + "%"
}

// formatMargin writes the room left in whole percent, with a decimal where it is small.
func formatMargin(room float64) string {
	switch percent := room * 100; {
	case math.Abs(percent) >= 10:
		return strconv.FormatFloat(percent, 'f', 0, 64) + "%"
	default:
		return trimZeros(strconv.FormatFloat(percent, 'f', 1, 64)) + "%"
	}
}

func formatRate(v float64) string { return formatNumber(v) + "/s" }

func formatNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	if math.Abs(v) >= 1000 && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64) // four digits and more; 14,830 is not 1.483e+04
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// several writes a count with its noun: "1 call", "3 calls".
func several[N int | int64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(int64(n), 10) + " " + noun
}

// grouped writes a count with its noun and its thousands apart: "10,000 calls".
func grouped(n int64, noun string) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		noun = plural(noun)
	}
	return digits + " " + noun
}

func plural(noun string) string { return noun + "s" }

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// were says how many calls were something, none as well.
func were[N int | int64](n N) string {
	switch n {
	case 0:
		return "no call was"
	case 1:
		return "1 call was"
	}
	return several(n, "call") + " were"
}
