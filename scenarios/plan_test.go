package scenarios

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ordeal/targets"
)

func TestParseMakesAPlan(t *testing.T) {
	text, err := os.ReadFile("testdata/describe/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := mustParse(t, string(text))
	var got []string
	say := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	say("%s seed %d %v source %v file %s", p.Name, p.Seed, p.Tags, string(p.Source) == string(text), p.File)
	for _, target := range p.Targets {
		say("target %s %s", target.Name, target.Kind())
	}
	for _, l := range p.Loads {
		say("load %s on %s timeout %v", l.Name, l.Target(), l.Timeout)
	}
	for _, ph := range p.Phases {
		say("phase %s %v..%v warmup %v faults %d rates %d", ph.Name, ph.Start, ph.End(), ph.Warmup, len(ph.Faults), len(ph.Rates))
	}
	for _, l := range p.Links {
		say("link %s from %s to %s", l.Name, l.From, l.To)
	}
	say("%v %d checks", p.Duration(), len(p.Checks()))
	want := []string{
		"everything seed 42 [demo long] source true file x.yaml",
		"target users reference", "target gateway reference", "target shop command", "target prod external",
		"load browse on gateway timeout 5s", "load waves on shop timeout 5s", "load rare on users timeout 5s", "load patient on prod timeout 5s",
		"phase warmup 0s..2s warmup true faults 0 rates 0", "phase steady 2s..12s warmup false faults 0 rates 0",
		"phase peak 12s..22s warmup false faults 0 rates 1", "phase outage 22s..32s warmup false faults 3 rates 0",
		"phase recovery 32s..2m2s warmup false faults 0 rates 0",
		"link client->gateway from client to gateway", "link shop->users from shop to users", "link gateway->users from gateway to users",
		"2m2s 9 checks",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestBreakerLinkMayBeNamedByItsFarEnd(t *testing.T) {
	p := mustParse(t, sound+"  - breaker: {target: gateway, link: users, load: browse, during: outage, opens_within: 1s}\n")
	if got := p.Expects[2].Breaker.Link; got != "gateway->users" {
		t.Errorf("link %q", got)
	}
}

func TestPlannedCallsFollowThePhases(t *testing.T) {
	p := mustParse(t, strings.Replace(sound, "faults: [{", "load: {browse: 100/s}, faults: [{", 1))
	planned := p.Planned(p.Load("browse"))
	if planned["steady"] != 3000 || planned["outage"] != 1000 {
		t.Errorf("planned %v", planned)
	}
	if notes := p.Notes(); len(notes) != 0 {
		t.Errorf("notes %v", notes)
	}
	p = mustParse(t, strings.Replace(sound, "rate: 300/s", "rate: 90/s", 1))
	if notes := strings.Join(p.Notes(), "; "); !strings.Contains(notes, "needs 1,000 calls, and 900 are planned") {
		t.Errorf("notes %q", notes)
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		target, hosts, refused string // refused: the fields at fault, and what is there
	}{
		{`{reference: users}`, "127.0.0.1", ""},
		{`{external: "127.0.0.1:80"}`, "127.0.0.1", ""},
		{`{external: "127.7.7.7:80"}`, "127.7.7.7", ""},
		{`{external: "http://localhost:80"}`, "localhost", ""},
		{`{external: "[::1]:80"}`, "::1", ""},
		{`{external: "10.0.0.1:80"}`, "10.0.0.1", `"10.0.0.1:80"`},
		{`{external: "http://example.com"}`, "example.com", `"http://example.com"`},
		{`{external: "localhost.example.com:80"}`, "localhost.example.com", `"localhost.example.com:80"`},
		{`{external: "127.0.0.1.example.com:80"}`, "127.0.0.1.example.com", `"127.0.0.1.example.com:80"`},
		{`{external: "0.0.0.0:80"}`, "0.0.0.0", `"0.0.0.0:80"`},
		{`{external: "127.0.0.1:80", metrics: "http://10.0.0.2/metrics"}`, "10.0.0.2,127.0.0.1", `"http://10.0.0.2/metrics"`},
		{`{external: "127.0.0.1:80", ready: {http: "http://10.0.0.3/"}}`, "10.0.0.3,127.0.0.1", `"http://10.0.0.3/"`},
		{`{command: [./x, "${addr}"]}`, "127.0.0.1", ""},
		{`{command: [./x], listen: "127.0.0.1:80"}`, "127.0.0.1", ""},
		{`{command: [./x], listen: ":80"}`, "0.0.0.0", `":80"`},
	} {
		text := "ordeal: v1\nname: x\ntargets:\n  t: " + c.target + "\nload:\n  l: {trickle: {target: t}, clients: 1}\n" +
			"timeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n"
		if strings.Contains(c.target, "reference") {
			text = strings.Replace(text, "trickle: {target: t}", "grpc: {target: t, call: a.B/C}", 1)
		}
		p := mustParse(t, text)
		if got := strings.Join(p.Hosts(), ","); got != c.hosts {
			t.Errorf("%s: hosts %s, want %s", c.target, got, c.hosts)
		}
		es := asErrors(p.CheckHosts(nil))
		got := ""
		for _, e := range es {
			got += e.Source[e.Column-1 : e.Column-1+e.Width]
		}
		if got != c.refused {
			t.Errorf("%s: refused %s, want %s", c.target, got, c.refused)
		}
		if len(es) > 0 && p.CheckHosts([]string{"other", strings.ToUpper(strings.Split(c.hosts, ",")[0])}) != nil {
			t.Errorf("%s: refused although it is allowed", c.target)
		}
	}
}

// Targets that all call each other in one direction have more ways through them
// than can be counted; finding that none is a circle must not take them all.
func TestCallsAreCheckedInAMoment(t *testing.T) {
	var b strings.Builder
	b.WriteString("ordeal: v1\nname: x\ntargets:\n")
	for i := range 60 {
		var calls []string
		for j := i + 1; j < 60; j++ {
			calls = append(calls, fmt.Sprintf("c%d: t%d", j, j))
		}
		fmt.Fprintf(&b, "  t%d: {command: [x], calls: {%s}}\n", i, strings.Join(calls, ", "))
	}
	b.WriteString("load:\n  l: {http: {target: t0, get: /}, rate: 1/s}\ntimeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n")
	start := time.Now()
	p := mustParse(t, b.String())
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if n := len(p.Targets); n != 60 || p.Target("t59").Kind() != targets.KindCommand {
		t.Errorf("%d targets", n)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"rate", "arrivals", "timeout", "workers", "grpc", "p99", "p99.9"}
	for word, want := range map[string]string{
		"rat": "rate", "Rate": "rate", "arrivls": "arrivals", "tiemout": "timeout", "gprc": "grpc", "p9": "p99", "p999": "p99",
		"x": "", "clients": "", "": "", "workerspool": "", strings.Repeat("rate", 100): "",
	} {
		got, ok := nearest(word, names)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
