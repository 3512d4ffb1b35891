package verdict

import "ordeal/runner/evidence"

// Judge on the specs comes with the checks.
func notYet(kind, name string) Verdict {
	return Verdict{Kind: kind, Name: name, Status: Inconclusive, Why: "this check does not look at evidence yet"}
}

func (l *Latency) Judge(*evidence.Run) Verdict      { return notYet("latency", l.String()) }
func (e *Errors) Judge(*evidence.Run) Verdict       { return notYet("errors", e.String()) }
func (r *Rate) Judge(*evidence.Run) Verdict         { return notYet("rate", r.String()) }
func (a *Availability) Judge(*evidence.Run) Verdict { return notYet("availability", a.String()) }
func (r *Recovery) Judge(*evidence.Run) Verdict     { return notYet("recovery", r.String()) }
func (a *Arrivals) Judge(*evidence.Run) Verdict     { return notYet("arrivals", a.String()) }
func (m *Metric) Judge(*evidence.Run) Verdict       { return notYet("metric", m.String()) }
func (t *Target) Judge(*evidence.Run) Verdict       { return notYet("target", t.String()) }
func (b *Breaker) Judge(*evidence.Run) Verdict      { return notYet("breaker", b.String()) }

// Judge judges a run.
func Judge(run *evidence.Run, checks []Check) Judgement { return Judgement{} }
