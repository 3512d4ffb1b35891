package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	out, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What the tools print was recorded from real runs.
func TestReportsOfToolsAreRead(t *testing.T) {
	ns := func(v ...time.Duration) [len(percentiles)]figure {
		var f [len(percentiles)]figure
		for i, v := range v {
			if v != 0 {
				f[i] = figure{v, true}
			}
		}
		return f
	}
	vegeta, err := readVegeta(recorded(t, "vegeta.json"))
	if err != nil {
		t.Error(err)
	}
	ghz, err := readGhz(recorded(t, "ghz.json"))
	if err != nil {
		t.Error(err)
	}
	k6, err := readK6(recorded(t, "k6.json"), "http_req_duration")
	if err != nil || k6.dropped != 4132 {
		t.Errorf("k6 dropped %d: %v", k6.dropped, err)
	}
	wrk, err := readWrk(string(recorded(t, "wrk.txt")))
	if err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct{ got, want figures }{
		"vegeta": {vegeta, figures{11000, ns(195057, 433229, 860787869, 0, 1015522991)}},
		"ghz":    {ghz, figures{800, ns(270472, 4654820, 958501823, 0, 996412999)}},
		"k6":     {k6.figures, figures{6359, ns(1829243772, 1999299802, 2006973622, 2015356791, 2022928760)}},
		"wrk":    {wrk, figures{1451, ns(242*time.Microsecond, 513490*time.Microsecond, 956480*time.Microsecond, 0, 990470*time.Microsecond)}},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, tc.got, tc.want)
		}
	}
	// A single letter of a unit is followed by a blank.
	long := strings.Replace(string(recorded(t, "wrk.txt")), "956.48ms", "1.95s ", 1)
	if f, err := readWrk(long); err != nil || f.at[2] != (figure{1950 * time.Millisecond, true}) {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestOtherOutputIsNoReport(t *testing.T) {
	if _, err := readVegeta([]byte("no results")); err == nil {
		t.Error("vegeta")
	}
	if _, err := readGhz([]byte("failed to dial")); err == nil {
		t.Error("ghz")
	}
	if _, err := readK6(recorded(t, "k6.json"), "grpc_req_duration"); err == nil {
		t.Error("k6")
	}
	if _, err := readWrk("unable to connect"); err == nil {
		t.Error("wrk")
	}
}
