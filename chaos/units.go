package chaos

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxDelay bounds every delay of a fault: more is a slip of the pen, or a
// blackhole.
const maxDelay = time.Hour

// ByteRate is a rate in bytes per second, written "100KB/s". K, M and G are
// powers of 1000, Ki, Mi and Gi powers of 1024; bits are written "1Mbit/s".
type ByteRate float64

// UnmarshalText reads a rate such as "100KB/s", "1.5MiB/s" or "2Mbit/s".
func (r *ByteRate) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	amount, ok := strings.CutSuffix(s, "/s")
	if !ok {
		return fmt.Errorf("want a rate such as \"100KB/s\" or \"2Mbit/s\", not %q", s)
	}
	v, err := parseBytes(amount)
	if err != nil {
		return fmt.Errorf("want a rate such as \"100KB/s\" or \"2Mbit/s\", not %q", s)
	}
	*r = ByteRate(v)
	return nil
}

// MarshalText writes the rate as UnmarshalText reads it.
func (r ByteRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String writes the rate with the greatest unit that keeps it short.
func (r ByteRate) String() string { return formatBytes(float64(r)) + "/s" }

// Examples gives rates as a person writes them.
func (ByteRate) Examples() []string { return []string{"100KB/s", "1MiB/s", "2Mbit/s"} }

// Size is an amount of bytes, written "10KB", "4MiB" or as a plain number.
type Size int64

// UnmarshalText reads a size such as "512", "10KB" or "4MiB".
func (z *Size) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	v, err := parseBytes(s)
	if err != nil || v != float64(int64(v)) {
		return fmt.Errorf("want a size in bytes such as 512, \"10KB\" or \"4MiB\", not %q", s)
	}
	*z = Size(v)
	return nil
}

// MarshalText writes the size as UnmarshalText reads it.
func (z Size) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

// String writes the size with the greatest unit that keeps it short.
func (z Size) String() string { return formatBytes(float64(z)) }

// Examples gives sizes as a person writes them.
func (Size) Examples() []string { return []string{"512", "10KB", "4MiB"} }

// Share is a part of the connections in percent, written "50%". Zero stands for
// a share that was not given, which is all of them.
type Share float64

// UnmarshalText reads a share such as "50%".
func (s *Share) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	number, ok := strings.CutSuffix(t, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || !(v > 0 && v <= 100) {
		return fmt.Errorf("want a share above 0%% and up to 100%%, such as \"50%%\", not %q", t)
	}
	*s = Share(v)
	return nil
}

// MarshalText writes the share as UnmarshalText reads it.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String writes the share in percent.
func (s Share) String() string {
	return strconv.FormatFloat(s.percent(), 'g', -1, 64) + "%"
}

// Examples gives shares as a person writes them.
func (Share) Examples() []string { return []string{"50%", "12.5%"} }

func (s Share) percent() float64 {
	if s == 0 {
		return 100
	}
	return float64(s)
}

var byteUnits = []struct {
	suffix string
	bytes  float64
}{
	{"Gbit", 1e9 / 8}, {"Mbit", 1e6 / 8}, {"kbit", 1e3 / 8},
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3}, {"B", 1}, {"", 1},
}

func parseBytes(s string) (float64, error) {
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil {
			return 0, fmt.Errorf("want a number of bytes, not %q", s)
		}
		if v*u.bytes > 1<<53 || v*u.bytes < -(1<<53) || v != v {
			return 0, fmt.Errorf("%q is out of range", s)
		}
		return v * u.bytes, nil
	}
	return 0, fmt.Errorf("want a number of bytes, not %q", s)
}

func formatBytes(v float64) string {
	for _, u := range []struct {
		suffix string
		bytes  float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}} {
		if v >= u.bytes || v <= -u.bytes {
			return strconv.FormatFloat(v/u.bytes, 'g', -1, 64) + u.suffix
		}
	}
	return strconv.FormatFloat(v, 'g', -1, 64) + "B"
}
