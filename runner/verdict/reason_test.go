package verdict

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Every reason has words of its own, what to do about it, and a line in the documentation.
func TestEveryReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/validity.md")
	if err != nil {
		t.Fatal(err)
	}
	full := strain{known: true, procs: 2, cpus: 2, used: 0.4, idle: 0.05}
	with := func(change func(*strain)) strain {
		s := full
		change(&s)
		return s
	}
	idle := strain{known: true, procs: 2, cpus: 2, used: 0.4, idle: 1.5}
	const lag = 100 * ms
	said := map[string]bool{}
	for want, l := range map[reason]late{
		slowTarget:    {full: 0.9, strain: idle},
		fullGenerator: {strain: strain{known: true, procs: 1, used: 0.98}},
		takenMachine:  {strain: with(func(s *strain) { s.others = 1.3 })},
		stolenMachine: {strain: with(func(s *strain) { s.stolen, s.others = 0.9, 0.6 })},
		sharedMachine: {strain: with(func(s *strain) { s.used, s.targets = 1.2, 0.7 })},
		lateScheduler: {strain: strain{known: true, procs: 2, cpus: 2, used: 0.4, idle: 1.5, sched: 12 * ms}},
		collection:    {strain: strain{known: true, procs: 2, cpus: 2, used: 0.4, idle: 1.5, pause: 80 * ms}, waits: 7},
		slowDisk:      {strain: idle, waits: 7},
		unexplained:   {strain: idle},
	} {
		l.workers, l.p99, l.service = 10, lag, 2*time.Millisecond
		if got := l.reason(); got != want {
			t.Errorf("reason %d, want %d: %s", got, want, l.because())
		}
		if l.byTarget() != (want == slowTarget) {
			t.Errorf("%s: by the target: %v", l.because(), l.byTarget())
		}
		what, todo := l.words()
		if said[what] {
			t.Errorf("%q is said twice", what)
		}
		said[what] = true
		what, _, _ = strings.Cut(what, ": ") // a count
		if !strings.Contains(string(page), "| "+what+" |") || !strings.Contains(string(page), todo+" |") {
			t.Errorf("docs/validity.md does not say %q and %q", what, todo)
		}
	}
}

// Without workers taken or anything known, a late generator is not the target's doing.
func TestNothingKnownBlamesNoTarget(t *testing.T) {
	for _, l := range []late{{}, {workers: 10, p99: time.Second}, {workers: 10, full: 0.9, unknown: "the series are damaged"}} {
		if l.byTarget() {
			t.Errorf("%+v: %s", l, l.because())
		}
	}
	if _, todo := (late{closed: true}).words(); !strings.Contains(todo, "take fewer clients") {
		t.Errorf("a closed model has no rate: %q", todo)
	}
}
