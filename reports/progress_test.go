package reports

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressIsOneLine(t *testing.T) {
	p := Progress{Phase: "outage", Elapsed: 17 * time.Second, Total: 40 * time.Second, Rate: 299.6, P99: 501 * ms, Errors: 135, InFlight: 12, Faults: []string{"blackhole on gateway->users"}}
	if got, want := p.String(), "17s/40s     outage       300/s  p99 501ms   errors 135  ✗ blackhole on gateway"; !strings.HasPrefix(got, want) {
		t.Errorf("got  %q\nwant %q …", got, want)
	}
	for _, p := range []Progress{
		p, {}, {Phase: hostile, Faults: []string{hostile, hostile}},
		{Phase: strings.Repeat("long", 30), Elapsed: 99 * time.Hour, Total: 100 * time.Hour, Rate: 1e12, P99: time.Hour, Errors: 1e15, InFlight: 1e9, Faults: []string{"x"}},
	} {
		s := p.String()
		if letters(s) >= terminalWidth || strings.ContainsAny(s, "\n\r\x1b") {
			t.Errorf("%d letters: %q", letters(s), s)
		}
		if len(p.Faults) > 0 && !strings.Contains(s, "✗") {
			t.Errorf("the faults are not shown: %q", s)
		}
	}
}

func TestLiveOnATerminalRewritesItsLine(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(&b, true)
	for i := range 3 {
		if err := l.Show(Progress{Phase: "steady", Elapsed: time.Duration(i) * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), "\n") {
		t.Errorf("progress moved down: %q", b.String())
	}
	if err := l.Print("users exited"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\r\x1b[Kusers exited\n") {
		t.Errorf("the line that stays does not take the place of the progress: %q", b.String())
	}
}

func TestLiveElsewhereIsSparse(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(&b, false)
	for i := range 20 {
		p := Progress{Phase: "steady", Elapsed: time.Duration(i) * time.Second}
		if i >= 12 {
			p.Phase, p.Faults = "outage", []string{"blackhole"}
		}
		if err := l.Show(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	var at []string
	for _, line := range lines {
		at = append(at, strings.Fields(line)[0])
	}
	if got := strings.Join(at, " "); got != "0s 5s 10s 12s 17s" {
		t.Errorf("lines at %s, want one every 5 s and one where the phase changes", got)
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("escape sequences where there is no terminal")
	}
}
