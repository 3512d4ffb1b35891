package tuning

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Each type here is a flag.Value whose Set refuses what it cannot mean and says what it expected.

type onOff bool

func (v *onOff) Set(text string) error {
	switch text {
	case "on", "true": // "true" is what the flag package sets for a bare --name
		*v = true
	case "off", "false":
		*v = false
	default:
		return errors.New(`expected "on" or "off"`)
	}
	return nil
}

func (v *onOff) String() string {
	if v != nil && bool(*v) {
		return "on"
	}
	return "off"
}

// IsBoolFlag lets --name stand for --name=on.
func (v *onOff) IsBoolFlag() bool { return true }

type duration struct {
	to              *time.Duration
	lowest, highest time.Duration
}

func (v *duration) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New(`expected a duration with its unit, such as "500ms" or "5s"`)
	}
	if d < v.lowest || d > v.highest {
		return fmt.Errorf("expected a duration from %s to %s", short(v.lowest), short(v.highest))
	}
	*v.to = d
	return nil
}

func (v *duration) String() string {
	if v == nil || v.to == nil {
		return ""
	}
	return short(*v.to)
}

// short writes 1m0s as 1m and 24h0m0s as 24h.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

type integer struct {
	to              *int
	lowest, highest int
}

func (v *integer) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < v.lowest || n > v.highest {
		return fmt.Errorf("expected a whole number from %d to %d", v.lowest, v.highest)
	}
	*v.to = n
	return nil
}

func (v *integer) String() string {
	if v == nil || v.to == nil {
		return ""
	}
	return strconv.Itoa(*v.to)
}

type byteSize struct {
	to              *int
	lowest, highest int
}

func (v *byteSize) Set(text string) error {
	digits, unit := text, 1
	for _, u := range []struct {
		suffix string
		bytes  int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"KB", 1 << 10}, {"MB", 1 << 20}, {"B", 1}} {
		if rest, found := strings.CutSuffix(text, u.suffix); found {
			digits, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil {
		return errors.New(`expected a size in bytes, such as "8192" or "8KiB"`)
	}
	if n > v.highest/unit || n*unit < v.lowest {
		return fmt.Errorf("expected a size from %d to %d bytes", v.lowest, v.highest)
	}
	*v.to = n * unit
	return nil
}

func (v *byteSize) String() string {
	if v == nil || v.to == nil {
		return ""
	}
	if n := *v.to; n >= 1<<10 && n%(1<<10) == 0 {
		return strconv.Itoa(n>>10) + "KiB"
	}
	return strconv.Itoa(*v.to)
}

type fraction float64

func (v *fraction) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x > 0 && x <= 1) { // the negation refuses NaN too
		return errors.New(`expected a percentage above 0% and up to 100%, such as "50%"`)
	}
	*v = fraction(x)
	return nil
}

func (v *fraction) String() string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*v)*100, 'g', 6, 64) + "%"
}

type rate float64

func (v *rate) Set(text string) error {
	if text == "off" {
		*v = 0
		return nil
	}
	number, perSecond := strings.CutSuffix(text, "/s")
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || !perSecond || !(x > 0 && x <= 1e9) {
		return errors.New(`expected a rate such as "200/s", up to 1000000000/s, or "off"`)
	}
	*v = rate(x)
	return nil
}

func (v *rate) String() string {
	if v == nil || *v == 0 {
		return "off"
	}
	return strconv.FormatFloat(float64(*v), 'f', -1, 64) + "/s"
}
