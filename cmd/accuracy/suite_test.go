package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ordeal/cmd/accuracy/target"
	"ordeal/runner"
	"ordeal/scenarios"
	"ordeal/targets"
)

// TestMain lets the test be started again as a target, and as the guard of a run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == targets.GuardVerb {
		if err := targets.Guard(os.Stdin); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "target" {
		if err := target.Serve(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// inProcess runs Ordeal without its binary.
func inProcess(ctx context.Context, file, out string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	plan, err := scenarios.Parse(file, f)
	if err != nil {
		return "", err
	}
	return runner.Run(ctx, plan, runner.Options{Dir: out, Self: []string{os.Args[0]}})
}

func testSuite(t *testing.T) *suite {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &suite{ordeal: inProcess, self: self, dir: t.TempDir(), out: &strings.Builder{}}
}

func shortStall() testCase {
	return testCase{
		name: "short-stall", about: "a stall of 300 ms", kind: "http", program: "stall 1s 300ms", control: true,
		schedule: hold(200, 3*time.Second), workers: 5, timeout: 5 * time.Second,
	}
}

// The case runs whole: Ordeal, the target, its log and the truth. That figures
// are near is what a quiet machine is for; here the stall must be seen. As in the
// suite, a run that a busy machine held up is made anew.
func TestStallIsHeldAgainstTheTruth(t *testing.T) {
	t.Parallel()
	s, c := testSuite(t), shortStall()
	var o *observed
	wrong := []string{"no run"}
	for n := 0; n < maxAttempts && len(wrong) > 0; n++ {
		var err error
		if o, err = s.observe(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		a := judgeRun(&c, o)
		if len(a.problems) > 0 {
			t.Fatalf("%v", a.problems)
		}
		wrong = stallMissed(&a)
	}
	if len(wrong) > 0 {
		t.Errorf("in the last of %d runs: %s", maxAttempts, strings.Join(wrong, "; "))
	}

	// A truth that was tampered with is found, whatever it is that was changed.
	for name, tamper := range map[string]func(r *target.Record){
		"a call is missing": func(r *target.Record) { r.Calls = r.Calls[1:] },
		"a call came twice": func(r *target.Record) { r.Calls[0].N = r.Calls[1].N },
		"a call failed":     func(r *target.Record) { r.Calls[9].Outcome = target.Failed },
		"the stall took longer": func(r *target.Record) {
			for i := range r.Calls {
				if r.Calls[i].Delay > 0 {
					r.Calls[i].Ended += time.Second
				}
			}
		},
		"the clock is another": func(r *target.Record) {
			for i := range r.Calls {
				r.Calls[i].Arrived -= time.Second
				r.Calls[i].Ended -= time.Second
			}
		},
		"there was no room": func(r *target.Record) { r.Lost = 1 },
	} {
		other := *o
		record := *o.record
		record.Calls = append([]target.Call(nil), o.record.Calls...)
		other.record = &record
		tamper(&record)
		if a := judgeRun(&c, &other); a.passes() {
			t.Errorf("it passes when %s", name)
		}
	}
}

// stallMissed says what is wrong with a run of the short stall.
func stallMissed(a *attempt) (wrong []string) {
	// Of 600 calls 60 are due in the stall, so that p99 is that of the 54th: 270 ms.
	truth, said := a.calls.trueResponse, a.calls.response
	if truth.count != 600 || said.count != 600 || truth.at[2].value < 200*time.Millisecond {
		wrong = append(wrong, fmt.Sprintf("%d calls, %d in the evidence, with a true p99 of %v", truth.count, said.count, truth.at[2].value))
	}
	// On a machine that is busy with other tests the way back to the client may
	// take some time, which is no part of the truth.
	busy := 100 * time.Millisecond
	if d := said.at[2].value - truth.at[2].value; d < -time.Millisecond || d > busy {
		wrong = append(wrong, fmt.Sprintf("p99 is %v, and %v is true", said.at[2].value, truth.at[2].value))
	}
	if a.calls.control.holds() {
		wrong = append(wrong, "the stall is not seen to be missed by service times")
	}
	return wrong
}

func TestAttemptsAreShownAndCounted(t *testing.T) {
	c := shortStall()
	good := attempt{calls: comparison{trueResponse: exactly(upTo(20_000)), response: exactly(upTo(20_000)), service: exactly(upTo(20))}}
	good.calls.judged = judge(good.calls.trueResponse, good.calls.response)
	good.calls.control = judge(good.calls.trueResponse, good.calls.service)
	bad := good
	bad.problem("3 calls are in the evidence twice")
	r := result{c: &c, attempts: []attempt{bad, good}}
	if text := r.table(); !r.passes() || !strings.Contains(text, "attempt 1 of at most 3: fail") || !strings.Contains(text, "evidence twice") {
		t.Errorf("%v:\n%s", r.passes(), text)
	}
	inColumns(t, r.table())
	for _, c := range cases() {
		r := result{c: &c, attempts: []attempt{good}, peers: []peerResult{{name: "ghz-async", truth: good.calls.response}, {name: "k6", report: report{dropped: 1}}}}
		inColumns(t, r.table())
	}
	r.attempts = []attempt{good, bad}
	if r.passes() {
		t.Error("a case whose last attempt fails passes")
	}
	// Service times that pass where they must not make the suite blind.
	blind := good
	blind.calls.control = blind.calls.judged
	r.attempts = []attempt{blind}
	if r.passes() || !strings.Contains(r.table(), "NOT SEEN TO FAIL") {
		t.Errorf("a control that does not fail passes:\n%s", r.table())
	}
	if (&page{}).held() {
		t.Error("nothing at all holds")
	}
}

func inColumns(t *testing.T, table string) {
	t.Helper()
	for line := range strings.SplitSeq(table, "\n") {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestCallsAreCountedOneByOne(t *testing.T) {
	t.Parallel()
	s := testSuite(t)
	all := countCases()
	got, err := s.countFor(t.Context(), &all[1], time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got.wanted = 10
	if got.check(); !got.passes() || got.samples < 10 {
		t.Errorf("%+v", got)
	}
	for name, tamper := range map[string]func(r *counted){
		"one more at the target": func(r *counted) { r.target++ },
		"a number twice":         func(r *counted) { r.distinct-- },
		"a gap":                  func(r *counted) { r.highest++ },
		"one not in the figures": func(r *counted) { r.summed-- },
		"too few":                func(r *counted) { r.wanted = r.samples + 1 },
	} {
		other := *got
		tamper(&other)
		if other.check(); other.passes() {
			t.Errorf("it passes with %s", name)
		}
	}
}

// Every case is a scenario that Ordeal takes, with at least as many calls as
// p99.9 needs, or as many messages.
func TestCasesCanBeRun(t *testing.T) {
	for _, c := range cases() {
		if _, err := scenarios.Parse(c.name, strings.NewReader(c.scenario("127.0.0.1:80"))); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := target.ParseProgram(c.program, c.seed); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := c.schedule.count(); max(n, n*c.perCall) < 10_000 {
			t.Errorf("%s makes %d calls", c.name, n)
		}
		if len(c.peers) > 0 && c.why == "" {
			t.Errorf("%s does not say why others differ", c.name)
		}
	}
	for _, c := range countCases() {
		text := document(c.name, "127.0.0.1:80", c.call, "clients: 8", time.Second)
		if _, err := scenarios.Parse(c.name, strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"-case nothing": `no case is named "nothing": want one of prompt`,
		"-what":         "flag provided but not defined",
		"extra":         `unexpected argument "extra"`,
		"-ordeal none":  "there is no ordeal to measure",
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), &out, &errs, strings.Fields(args)); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: %d, %s", args, code, errs.String())
		}
	}
	if chosen, counts, err := choose("jitter,count-grpc"); err != nil || len(chosen) != 1 || len(counts) != 1 {
		t.Errorf("%d cases, %d of counting, %v", len(chosen), len(counts), err)
	}
}
