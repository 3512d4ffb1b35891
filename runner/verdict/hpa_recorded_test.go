package verdict

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// recordedMeta is the first line of a recorded run, recordedLine each other one.
type recordedMeta struct {
	Base     time.Time
	Phases   []evidence.PhaseMeta
	Settings map[string]string
}

type recordedLine struct {
	Event  *evidence.Event  `json:",omitempty"`
	Series *evidence.Series `json:",omitempty"`
}

// recorded is what was seen of the real controller, of Kubernetes 1.36, in a run
// of hpa-scales-up-and-down on a busy machine. change spoils what was seen of an
// object, which is decoded JSON; false leaves it out.
func recorded(t *testing.T, change func(kind string, data fields) bool) *evidence.Run {
	t.Helper()
	f, err := os.Open("testdata/hpa-recorded.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(z)
	var m recordedMeta
	if err := lines.Decode(&m); err != nil {
		t.Fatal(err)
	}
	s := play(t)
	last := m.Phases[len(m.Phases)-1]
	s.meta.Base, s.meta.Phases, s.meta.Start, s.meta.Took = m.Base, m.Phases, m.Phases[0].Start, last.Start+last.For
	s.meta.Cluster = &evidence.ClusterMeta{Kind: "local", Settings: m.Settings}
	for {
		var l recordedLine
		if err := lines.Decode(&l); err == io.EOF {
			return s.end()
		} else if err != nil {
			t.Fatal(err)
		}
		if l.Event != nil {
			var data fields
			if err := json.Unmarshal(l.Event.Object.Data, &data); err != nil {
				t.Fatal(err)
			}
			if change == nil || change(l.Event.Object.Kind, data) {
				s.see(l.Event.Object.Action, l.Event.Object.Kind, l.Event.Object.Name, l.Event.At, data, nil)
			}
		}
		for i := 0; l.Series != nil && i < l.Series.Len(); i++ {
			s.points = append(s.points, evidence.Point{At: l.Series.T[i], Target: l.Series.Target, Name: l.Series.Name, Labels: l.Series.Labels, Value: l.Series.V[i]})
		}
	}
}

func recordedCheck(t *testing.T) *HPA {
	return &HPA{
		Name: "gateway", During: "surge", Calm: "calm", Min: 2, Max: 10, FirstWithin: 6 * time.Second, EnoughWithin: 16 * time.Second,
		Overshoot: of[CountLimit](t, "<= 2"), Undershoot: of[CountLimit](t, "= 0"), Flaps: of[CountLimit](t, "<= 2"),
		Stabilization: 10 * time.Second, BackWithin: 22 * time.Second,
	}
}

func TestTheRealControllerPasses(t *testing.T) {
	v := judgeBy(t, recorded(t, nil), recordedCheck(t))
	if v.Status != Pass {
		tell(t, v)
		t.Fatal("the real controller does not pass")
	}
	if p := partOf(t, v, "steps explained"); p.Measured != "4 steps" {
		t.Errorf("%+v", p)
	}
}

// What the real controller did does not fit another autoscaler: each change of what
// it was told is found.
func TestTheRealControllerIsNotTakenForAnother(t *testing.T) {
	behavior := func(direction, field string, value any) func(fields) {
		return func(spec fields) { spec["behavior"].(fields)[direction].(fields)[field] = value }
	}
	target := func(percent int) func(fields) {
		return func(spec fields) {
			spec["metrics"].([]any)[0].(fields)["resource"].(fields)["target"].(fields)["averageUtilization"] = percent
		}
	}
	for name, spoil := range map[string]func(spec fields){
		"a higher target":             target(60),
		"a lower target":              target(45),
		"half as many more at a time": behavior("scaleUp", "policies", []any{fields{"type": "Percent", "value": 50, "periodSeconds": 3}}),
		"a longer period":             behavior("scaleUp", "policies", []any{fields{"type": "Percent", "value": 100, "periodSeconds": 6}}),
		"no window on the way down":   behavior("scaleDown", "stabilizationWindowSeconds", 0),
		"a longer window":             behavior("scaleDown", "stabilizationWindowSeconds", 15),
		"a window on the way up":      behavior("scaleUp", "stabilizationWindowSeconds", 5),
		"a tolerance":                 behavior("scaleUp", "tolerance", "2"),
		"only the smallest way down":  behavior("scaleDown", "selectPolicy", "Disabled"),
		"a lower maximum":             func(spec fields) { spec["maxReplicas"] = 7 },
		"a higher minimum":            func(spec fields) { spec["minReplicas"] = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			run := recorded(t, func(kind string, data fields) bool {
				if kind == "HorizontalPodAutoscaler" {
					spoil(data["spec"].(fields))
				}
				return true
			})
			v := judgeBy(t, run, recordedCheck(t))
			if p := partOf(t, v, "steps explained"); p.Status != Fail {
				tell(t, v)
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestTheRealControllersEventsAreMissed(t *testing.T) {
	run := recorded(t, func(kind string, data fields) bool {
		message, _ := data["message"].(string)
		return kind != "Event" || !strings.HasPrefix(message, "New size: 7;") && !strings.HasPrefix(message, "New size: 8;")
	})
	if p := partOf(t, judgeBy(t, run, recordedCheck(t)), "steps announced"); p.Status != Fail {
		t.Errorf("%+v", p)
	}
}
