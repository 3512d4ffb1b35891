package reports

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// emptyRun writes a run directory with the given meta, events and nothing else.
func emptyRun(t *testing.T, m evidence.Meta, outcome evidence.Outcome, events ...evidence.Event) *evidence.Run {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := evidence.Create(dir, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		w.Event(e)
	}
	if err := w.Close(outcome, nil); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func TestUnfinishedRuns(t *testing.T) {
	killed := writeBreakerRun(t, breakerMeta())
	kill(t, killed)
	noSamples := breakerMeta()
	phaseOnly := evidence.Event{At: start, Kind: evidence.PhaseStart, Phase: "steady"}
	neverHealed := evidence.Event{At: start + 2*time.Second, Kind: evidence.FaultInjected, Phase: "steady", Fault: "blackhole", Link: "gateway->users"}
	refused := evidence.Event{At: start + 2*time.Second, Kind: evidence.FaultFailed, Phase: "steady", Fault: "blackhole", Link: "gateway->users", Text: "inject: no such link"}
	runs := map[string]struct {
		run  *evidence.Run
		says string // in the reports for people
	}{
		"killed":             {open(t, killed), "killed"},
		"interrupted":        {emptyRun(t, noSamples, evidence.Interrupted, phaseOnly), "interrupted"},
		"failed":             {emptyRun(t, noSamples, evidence.Failed, phaseOnly), "could not go on"},
		"nothing at all":     {emptyRun(t, evidence.Meta{Scenario: "nothing"}, evidence.Completed), "nothing"},
		"no phase begun":     {emptyRun(t, noSamples, evidence.Completed), "browse"},
		"phase of no length": {emptyRun(t, noSamples, evidence.Completed, phaseOnly, evidence.Event{At: start, Kind: evidence.PhaseEnd, Phase: "steady"}), "steady"},
		"fault never healed": {emptyRun(t, noSamples, evidence.Interrupted, phaseOnly, neverHealed), "blackhole"},
		"fault failed":       {emptyRun(t, noSamples, evidence.Failed, phaseOnly, refused), "no such link"},
		"closed, no calls":   {emptyRun(t, evidence.Meta{Scenario: "s", Loads: noSamples.Loads[1:]}, evidence.Completed, phaseOnly), "closed model"},
	}
	judgements := map[string]verdict.Judgement{
		"judged":     breakerJudgement(),
		"not judged": {Status: verdict.Inconclusive},
	}
	for name, c := range runs {
		for how, j := range judgements {
			t.Run(name+", "+how, func(t *testing.T) {
				for _, format := range []string{"terminal", "html", "json", "junit", "markdown", "csv", "prometheus", "benchfmt"} {
					r, _ := renderer(t, format, Selection{})
					text := render(t, r, c.run, j)
					if people := format == "terminal" || format == "html" || format == "markdown"; people && !strings.Contains(text, c.says) {
						t.Errorf("the %s report does not say %q", format, c.says)
					}
					if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || strings.Contains(text, "%!") {
						t.Errorf("the %s report shows a number that is none", format)
					}
				}
			})
		}
	}
}

func TestJUnitOfAnUnjudgedRunDoesNotPass(t *testing.T) {
	run := emptyRun(t, evidence.Meta{Scenario: "nothing"}, evidence.Completed)
	if text := render(t, JUnit, run, verdict.Judgement{Status: verdict.Inconclusive}); !strings.Contains(text, `errors="1"`) || !strings.Contains(text, `type="inconclusive"`) {
		t.Errorf("a run that is inconclusive for no named reason reads as passed:\n%s", text)
	}
	if text := render(t, JUnit, run, verdict.Judgement{}); strings.Contains(text, "<error") || strings.Contains(text, "<failure") {
		t.Errorf("a run that passed reads as failed:\n%s", text)
	}
}

func TestAlteredEvidenceIsSaid(t *testing.T) {
	dir := writeBreakerRun(t, breakerMeta())
	overwrite(t, filepath.Join(dir, "scenario.yaml"), "ordeal: v1\nname: another\n")
	run := open(t, dir)
	if page := render(t, HTML, run, breakerJudgement()); !strings.Contains(page, "not as it was when the run ended") || !strings.Contains(page, "scenario.yaml") {
		t.Error("the page does not say that scenario.yaml was changed")
	}
	if text := render(t, Terminal(false), run, breakerJudgement()); !strings.Contains(text, "scenario.yaml") {
		t.Error("the terminal does not say that scenario.yaml was changed")
	}
}

func TestATargetThatDiedIsSaid(t *testing.T) {
	exit := evidence.Event{At: start + 2*time.Second, Kind: evidence.TargetExit, Target: "users", Text: "exit status 2\npanic: x"}
	run := emptyRun(t, breakerMeta(), evidence.Completed, exit)
	const want = "target users ended by itself at +2.00s: exit status 2"
	for _, format := range []string{"terminal", "html", "markdown", "json"} {
		r, _ := renderer(t, format, Selection{})
		if text := strings.ReplaceAll(render(t, r, run, breakerJudgement()), "&#43;", "+"); !strings.Contains(text, want) {
			t.Errorf("the %s report does not say so", format)
		}
	}
	exit.Expected = true
	if text := render(t, Terminal(false), emptyRun(t, breakerMeta(), evidence.Completed, exit), breakerJudgement()); strings.Contains(text, "by itself") {
		t.Error("a target that was killed on purpose is said to have died")
	}
}

// Evidence that had to wait held calls back.
func TestWaitsForTheDiskAreToldOf(t *testing.T) {
	run := open(t, writeKnownRun(t))
	for n, want := range map[int64]string{1: "evidence had to wait once for the disk", 1234: "evidence had to wait 1,234 times for the disk"} {
		run.Meta.Waits = n
		d := build(t, run, verdict.Judgement{})
		for _, format := range []string{"terminal", "markdown", "html", "json"} {
			text := strings.Join(strings.Fields(written(t, d, format, Selection{})), " ")
			if !strings.Contains(text, want) {
				t.Errorf("the %s report does not say %q", format, want)
			}
		}
	}
}
