package verdict

import (
	"encoding"
	"math"
	"strings"
	"testing"
	"time"
)

func TestALimitHoldsWhatItSays(t *testing.T) {
	for _, c := range []struct {
		limit    limit
		yes, no  []float64
		readable string
	}{
		{of[DurationLimit](t, "<50ms").limit, []float64{0, 0.0499}, []float64{0.05, 1}, "< 50ms"},
		{of[DurationLimit](t, " <=  50ms ").limit, []float64{0.05}, []float64{0.0501}, "<= 50ms"},
		{of[DurationLimit](t, "10ms..2s").limit, []float64{0.01, 2}, []float64{0.0099, 2.001}, "10ms..2s"},
		{of[RatioLimit](t, "> 99%").limit, []float64{0.991, 1}, []float64{0.99, 0}, "> 99%"},
		{of[RatioLimit](t, ">= 99 %").limit, []float64{0.99}, []float64{0.98}, ">= 99 %"},
		{of[RatioLimit](t, "= 0").limit, []float64{0}, []float64{0.0001}, "= 0"},
		{of[CountLimit](t, "0..5").limit, []float64{0, 5}, []float64{6}, "0..5"},
		{of[CountLimit](t, "= 1").limit, []float64{1}, []float64{0, 2}, "= 1"},
		{of[RateLimit](t, "> 120/m").limit, []float64{2.1}, []float64{2, 1}, "> 120/m"},
		{of[NumberLimit](t, "<= 64MiB").limit, []float64{64 << 20}, []float64{64<<20 + 1}, "<= 64MiB"},
		{of[NumberLimit](t, "-3..-1").limit, []float64{-3, -1}, []float64{0}, "-3..-1"},
	} {
		for _, v := range c.yes {
			if !c.limit.holds(v) {
				t.Errorf("%s does not hold %g", c.limit, v)
			}
		}
		for _, v := range append(c.no, math.NaN()) {
			if c.limit.holds(v) {
				t.Errorf("%s holds %g", c.limit, v)
			}
		}
		if c.limit.String() != c.readable {
			t.Errorf("%q is written %q", c.readable, c.limit)
		}
	}
}

func TestAWrongLimitSaysWhatWasExpected(t *testing.T) {
	for _, c := range []struct {
		into encoding.TextUnmarshaler
		text string
		want []string
	}{
		{new(DurationLimit), "50ms", []string{"a limit on a duration", `"< 50ms"`}},
		{new(DurationLimit), "< 50", []string{`"50" is not a duration with a unit`, `"< 50ms"`}},
		{new(DurationLimit), "< 5%", []string{"not a duration", "want a limit on a duration"}},
		{new(DurationLimit), "< -5s", []string{"negative"}},
		{new(DurationLimit), "2s..1s", []string{"2s is more than 1s"}},
		{new(RatioLimit), "< 0.1", []string{"no percent sign", "a limit on a share"}},
		{new(RatioLimit), "> 101%", []string{"not between 0% and 100%"}},
		{new(RatioLimit), "< NaN%", []string{"not a number"}},
		{new(CountLimit), "< 1.5", []string{"not a whole number", "a limit on a count"}},
		{new(CountLimit), "< 5s", []string{"not a whole number"}},
		{new(CountLimit), "!= 5", []string{"a limit on a count"}},
		{new(RateLimit), "> 290", []string{"not per second, minute or hour", "a limit on a rate"}},
		{new(RateLimit), "> 290/d", []string{"not per second"}},
		{new(NumberLimit), "< Inf", []string{"not a number"}},
		{new(NumberLimit), "", []string{"a limit on a number"}},
		{new(NumberLimit), "1..", []string{"not a number"}},
		{new(Share), "101%", []string{"a share from 0% to 100%"}},
		{new(Share), "0.999", []string{`such as "99.9%"`}},
		{new(Class), "http-6xx", []string{"want one of http-4xx"}},
		{new(Class), "ok", []string{"want one of http-4xx"}},
	} {
		err := c.into.UnmarshalText([]byte(c.text))
		if err == nil {
			t.Errorf("%T takes %q", c.into, c.text)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%T of %q: %q does not say %q", c.into, c.text, err, want)
			}
		}
	}
}

func TestTheMarginIsTheRoomLeft(t *testing.T) {
	for _, c := range []struct {
		limit limit
		v     float64
		want  string
	}{
		{of[DurationLimit](t, "< 50ms").limit, 0.0125, "75%"},
		{of[DurationLimit](t, "< 50ms").limit, 0.1, "-100%"},
		{of[RatioLimit](t, "> 50%").limit, 0.75, "50%"},
		{of[RatioLimit](t, "> 50%").limit, 0.25, "-50%"},
		{of[DurationLimit](t, "100ms..200ms").limit, 0.11, "10%"},
		{of[DurationLimit](t, "< 50ms").limit, 0.0495, "1%"},
		{of[CountLimit](t, "= 1").limit, 1, ""},
		{of[CountLimit](t, "<= 0").limit, 4, ""},
	} {
		if got := c.limit.margin(c.v); got != c.want {
			t.Errorf("%s at %g: margin %q, want %q", c.limit, c.v, got, c.want)
		}
	}
}

func TestValuesAreReadable(t *testing.T) {
	for got, want := range map[string]string{
		formatDuration(12_434_567):               "12.4ms",
		formatDuration(1_934_567_890):            "1.93s",
		formatDuration(999_960):                  "1ms",
		formatDuration(154*time.Second + 400*ms): "2m34s",
		formatDuration(0):                        "0s",
		formatShare(0.9999):                      "99.99%",
		formatShare(0.99999):                     "99.999%",
		formatShare(1):                           "100%",
		formatShare(0.00012):                     "0.012%",
		formatShare(0):                           "0%",
		formatRate(299.97):                       "300/s",
		formatNumber(0.12345678):                 "0.1235",
		formatNumber(67108864):                   "67108864",
		nines(0.999):                             "3 nines",
		nines(0.9995):                            "3.3 nines",
		nines(1):                                 "no failure",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzLimit(f *testing.F) {
	for _, s := range []string{"< 50ms", "0..5", "> 99%", "= 0", "<= 64MiB", "..", "> /s", "1e309..2", "<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range []interface {
			encoding.TextUnmarshaler
			String() string
			holds(float64) bool
		}{new(DurationLimit), new(RatioLimit), new(CountLimit), new(RateLimit), new(NumberLimit)} {
			if l.UnmarshalText([]byte(text)) != nil {
				continue
			}
			// What is accepted means the same when it is written out and read again.
			written := l.String()
			before := [3]bool{l.holds(0), l.holds(0.5), l.holds(60)}
			if err := l.UnmarshalText([]byte(written)); err != nil {
				t.Fatalf("%T reads %q but not its own %q: %v", l, text, written, err)
			}
			if after := [3]bool{l.holds(0), l.holds(0.5), l.holds(60)}; after != before {
				t.Fatalf("%T: %q and its own %q differ", l, text, written)
			}
		}
	})
}
