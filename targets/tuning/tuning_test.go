package tuning

import (
	"bytes"
	"flag"
	"io"
	"strings"
	"testing"
	"time"
)

func flagSet() (*Tuning, *flag.FlagSet) {
	t := Defaults()
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	t.Register(fs)
	return t, fs
}

func TestDocumentedDefaults(t *testing.T) {
	want := map[string]string{
		"release-mode": "on", "pool": "on", "access-log": "on", "timeouts": "on", "reuse": "on", "health-check": "on",
		"retry": "on", "breaker": "on", "fallback": "on",
		"read-timeout": "5s", "write-timeout": "10s", "idle-timeout": "1m", "max-header-bytes": "8KiB",
		"dial-timeout": "3s", "keepalive": "30s",
		"breaker-window": "10", "breaker-minimum": "10", "breaker-failure-rate": "50%", "breaker-open": "5s",
	}
	seen := map[string]bool{}
	for _, s := range List() {
		if seen[s.Name] {
			t.Errorf("%s is listed twice", s.Name)
		}
		seen[s.Name] = true
		if s.Reason == "" || strings.Contains(s.Reason, "\n") || s.Values == "" {
			t.Errorf("%s: reason %q, values %q: want one line each", s.Name, s.Reason, s.Values)
		}
		if s.Values == "on|off" && s.Default != "on" {
			t.Errorf("%s is %s by default, want on", s.Name, s.Default)
		}
		if w, ok := want[s.Name]; ok && s.Default != w {
			t.Errorf("%s: default %s, want %s", s.Name, s.Default, w)
		}
		delete(want, s.Name)
	}
	for name := range want {
		t.Errorf("%s is not listed", name)
	}
}

// Each setting has a field of its own, and takes back what it prints.
func TestEverySettingRoundTrips(t *testing.T) {
	other := map[string]string{
		"on|off": "off", "duration": "11s", "count": "7", "size": "9KiB", "percentage": "12.5%", "N/s|off": "33.5/s",
	}
	for _, s := range List() {
		tune, fs := flagSet()
		before := *tune
		if err := fs.Parse([]string{"--" + s.Name + "=" + other[s.Values]}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if *tune == before {
			t.Errorf("%s=%s changed nothing", s.Name, other[s.Values])
		}
		if got := fs.Lookup(s.Name).Value.String(); got != other[s.Values] {
			t.Errorf("%s prints as %q, want %q", s.Name, got, other[s.Values])
		}
		if err := fs.Set(s.Name, s.Default); err != nil {
			t.Errorf("%s does not take its own default: %v", s.Name, err)
		}
		if *tune != before {
			t.Errorf("%s=%s does not restore the default: %+v", s.Name, s.Default, *tune)
		}
	}
}

func TestRefusesWhatItCannotMean(t *testing.T) {
	for _, c := range []struct{ name, text, expected string }{
		{"breaker", "maybe", `"on" or "off"`},
		{"breaker", "", `"on" or "off"`},
		{"breaker-open", "5", "unit"},
		{"breaker-open", "0s", "from 1ms"},
		{"breaker-open", "-1s", "from 1ms"},
		{"keepalive", "1s", "from 10s to 24h"},
		{"breaker-window", "0", "from 1"},
		{"breaker-window", "ten", "whole number"},
		{"breaker-failure-rate", "0", "percentage"},
		{"breaker-failure-rate", "101%", "percentage"},
		{"breaker-failure-rate", "NaN", "percentage"},
		{"rate-limit", "200", `"200/s"`},
		{"rate-limit", "-1/s", `"200/s"`},
		{"rate-limit", "NaN/s", `"200/s"`},
		{"rate-limit", "Inf/s", `"200/s"`},
		{"max-header-bytes", "8 kilos", "size in bytes"},
		{"max-header-bytes", "9007199254740993MiB", "from 256"},
		{"max-header-bytes", "-8KiB", "from 256"},
	} {
		tune, fs := flagSet()
		before := *tune
		err := fs.Set(c.name, c.text)
		if err == nil || !strings.Contains(err.Error(), c.expected) {
			t.Errorf("%s=%q: error %v, want one with %q", c.name, c.text, err, c.expected)
		}
		if *tune != before {
			t.Errorf("%s=%q was refused but changed something", c.name, c.text)
		}
	}
}

func TestEnvironmentYieldsToTheCommandLine(t *testing.T) {
	tune, fs := flagSet()
	env := map[string]string{"GATEWAY_BREAKER_OPEN": "1s", "GATEWAY_RETRY": "off", "GATEWAY_RETRY_MAX": "1"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if err := Environment(fs, "GATEWAY_", lookup); err != nil {
		t.Fatal(err)
	}
	if err := fs.Parse([]string{"--retry-max=4"}); err != nil {
		t.Fatal(err)
	}
	if tune.BreakerOpen != time.Second || tune.Retry || tune.RetryMax != 4 {
		t.Errorf("breaker-open %v, retry %v, retry-max %d: want 1s, off, 4", tune.BreakerOpen, tune.Retry, tune.RetryMax)
	}

	env["GATEWAY_POOL"] = "perhaps"
	err := Environment(fs, "GATEWAY_", lookup)
	if err == nil || !strings.Contains(err.Error(), `GATEWAY_POOL="perhaps"`) {
		t.Errorf("error %v, want one that names the variable and its value", err)
	}
}

func TestUsageShowsReasonAndDefault(t *testing.T) {
	_, fs := flagSet()
	var out bytes.Buffer
	fs.SetOutput(&out)
	fs.PrintDefaults()
	for _, s := range List() {
		if !strings.Contains(out.String(), "-"+s.Name+" ") || !strings.Contains(out.String(), s.Reason) {
			t.Errorf("usage lacks %s or its reason", s.Name)
		}
	}
	if !strings.Contains(out.String(), "default 500ms") {
		t.Errorf("usage lacks defaults:\n%s", out.String())
	}
}

func TestBurst(t *testing.T) {
	for _, c := range []struct {
		limit float64
		burst int
		want  int
	}{{200, 0, 20}, {10000, 0, 1000}, {3, 0, 1}, {0.5, 0, 1}, {200, 7, 7}} {
		if got := (&Tuning{RateLimit: c.limit, RateBurst: c.burst}).Burst(); got != c.want {
			t.Errorf("burst of %v/s with rate-burst %d: %d, want %d", c.limit, c.burst, got, c.want)
		}
	}
}

// Whatever a setting takes, it prints in a form that it takes for the same.
func FuzzSettings(f *testing.F) {
	for _, s := range List() {
		f.Add(s.Name, s.Default)
	}
	f.Add("max-header-bytes", "9223372036854775807MiB")
	f.Add("breaker-failure-rate", "1e-300%")
	f.Add("rate-limit", "1e300/s")
	f.Fuzz(func(t *testing.T, name, text string) {
		tune, fs := flagSet()
		before := *tune
		flag := fs.Lookup(name)
		if flag == nil {
			t.Skip()
		}
		if err := flag.Value.Set(text); err != nil {
			if *tune != before {
				t.Errorf("--%s=%q was refused but changed something", name, text)
			}
			return
		}
		printed := flag.Value.String()
		if err := flag.Value.Set(printed); err != nil || flag.Value.String() != printed {
			t.Errorf("--%s=%q prints as %q, taken as %q, error %v", name, text, printed, flag.Value.String(), err)
		}
		if tune.RateLimit > 0 && tune.Burst() < 1 {
			t.Errorf("--%s=%q makes a burst of %d", name, text, tune.Burst())
		}
	})
}
