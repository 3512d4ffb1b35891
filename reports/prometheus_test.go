package reports

import (
	"maps"
	"testing"

	"ordeal/runner/verdict"
)

// Checks may have the same name and yet differ: a name leaves out, for one, for
// how long a load must be well to have recovered.
func TestPrometheusTellsChecksOfOneNameApart(t *testing.T) {
	d := known(t)
	check := verdict.Verdict{Kind: "recovery", Name: "browse recovers within 8s after outage", Load: "browse", Phase: "outage"}
	failed := check
	failed.Status = verdict.Fail
	d.Judgement.Checks = []verdict.Verdict{check, failed, check}
	all := metrics(t, written(t, d, "prometheus", Selection{}))
	statuses := make(map[string]string) // by number
	for _, m := range all["ordeal_check_status"].GetMetric() {
		var number, status string
		for _, p := range m.Label {
			switch p.GetName() {
			case "number":
				number = p.GetValue()
			case "status":
				status = p.GetValue()
			}
		}
		if m.GetGauge().GetValue() == 1 {
			statuses[number] = status
		}
	}
	if want := map[string]string{"": "pass", "2": "fail", "3": "pass"}; !maps.Equal(statuses, want) {
		t.Errorf("the checks are %v, want %v", statuses, want)
	}
}
