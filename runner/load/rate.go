package load

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Rate is a number of calls in a second. As text it carries its unit: "300/s",
// "20/m", "100/h".
type Rate float64

const rateWanted = `want a rate such as "300/s", "20/m" or "100/h"`

var ratePer = map[string]float64{"s": 1, "m": 60, "h": 3600}

// UnmarshalText reads "300/s", "20/m" or "100/h".
func (r *Rate) UnmarshalText(text []byte) error {
	number, unit, found := strings.Cut(strings.TrimSpace(string(text)), "/")
	per := ratePer[strings.TrimSpace(unit)]
	if !found || per == 0 {
		return fmt.Errorf("%q has no unit: %s", text, rateWanted)
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%q is not a rate: %s", text, rateWanted)
	}
	if v < 0 {
		return fmt.Errorf("%q is below zero: %s", text, rateWanted)
	}
	if v/per > maxRate {
		return fmt.Errorf("%q is above %s, more than one generator can send", text, Rate(maxRate))
	}
	*r = Rate(v / per)
	return nil
}

// maxRate bounds a rate, so that counts and tables stay within reason.
const maxRate = 1e6

// MarshalText is the inverse of UnmarshalText.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String gives the rate with the largest unit that reads well.
func (r Rate) String() string {
	unit, v := "s", float64(r)
	for _, u := range []string{"s", "m", "h"} {
		unit, v = u, float64(r)*ratePer[u]
		if v >= 1 || v == 0 {
			break
		}
	}
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) + "/" + unit
}

// Examples gives texts that UnmarshalText takes.
func (Rate) Examples() []string { return []string{"300/s", "20/m"} }
