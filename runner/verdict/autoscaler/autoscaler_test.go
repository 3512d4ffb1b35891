package autoscaler

import (
	"fmt"
	"testing"
	"time"
)

// The tests here show each rule by an example. That all of them together are
// those of the real controller is tested against it, in deploy/localkube/oracle.

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// running are ready Pods that started long ago and request 100 of CPU each.
func running(n int) []Pod {
	pods := make([]Pod, n)
	for i := range pods {
		pods[i] = Pod{
			Name: fmt.Sprint(i), Phase: "Running", Started: start.Add(-time.Hour), Ready: "True", ReadyChanged: start.Add(-time.Hour),
			Containers: []Container{{Name: "main", Requests: map[string]int64{CPU: 100}}},
		}
	}
	return pods
}

// using gives Pods their values of a metric.
func using(values ...int64) Reading {
	r := Reading{Pods: map[string]Sample{}}
	for i, v := range values {
		if v >= 0 {
			r.Pods[fmt.Sprint(i)] = Sample{Value: v, At: start, Window: time.Second}
		}
	}
	return r
}

func state(pods []Pod, readings ...Reading) State {
	return State{At: start, Wanted: int32(len(pods)), Replicas: int32(len(pods)), Pods: pods, Readings: readings}
}

// half wants half of the requested CPU used.
func half(others ...Metric) Spec {
	return Spec{Min: 1, Max: 20, Metrics: append([]Metric{{Source: Resource, Name: CPU, Utilization: 50}}, others...)}
}

func TestRecommendations(t *testing.T) {
	perPod := Metric{Source: Pods, Name: "requests", Average: 1000}
	unready := running(4)
	unready[3].Ready = "False"
	unready[3].Started, unready[3].ReadyChanged = start.Add(-10*time.Second), start.Add(-10*time.Second)
	pending := running(4)
	pending[3].Phase = "Pending"
	going := running(4)
	going[3].Deleting = true
	mean := Spec{Min: 1, Max: 20, Metrics: []Metric{perPod}}
	for name, tc := range map[string]struct {
		spec Spec
		s    State
		want int32
	}{
		"rounds up":                           {half(), state(running(3), using(60, 60, 61)), 4},
		"keeps within the tolerance":          {half(), state(running(3), using(55, 55, 55)), 3},
		"truncates the utilisation":           {half(), state(running(3), using(55, 56, 56)), 3}, // 55.67 %
		"fewer":                               {half(), state(running(4), using(20, 20, 20, 20)), 2},
		"missing is idle on the way up":       {half(), state(running(4), using(100, 100, 100, -1)), 6},
		"missing is busy on the way down":     {half(), state(running(4), using(10, 10, 10, -1)), 3},
		"missing may turn it round":           {half(), state(running(2), using(30, -1)), 2},
		"unready is idle on the way up":       {half(), state(unready, using(100, 100, 100, 100)), 6},
		"unready is left out on the way down": {half(), state(unready, using(20, 20, 20, 100)), 2},
		"pending":                             {half(), state(pending, using(100, 100, 100)), 6},
		"deleted ones do not count":           {half(), state(going, using(100, 100, 100, 100)), 6},
		"several metrics: the greatest":       {half(perPod), state(running(2), using(20, 20), using(3000, 3000)), 6},
		"one missing metric forbids fewer":    {half(perPod), state(running(2), using(10, 10), Reading{Missing: "no"}), 2},
		"one missing metric allows more":      {half(perPod), state(running(2), using(100, 100), Reading{Missing: "no"}), 4},
		"no value at all":                     {half(), state(running(2), using(-1, -1)), 2},
		"a Pod's share":                       {mean, state(running(2), using(1500, 2500)), 4},
		"an object's value": {Spec{Min: 1, Max: 20, Metrics: []Metric{{Source: Object, Value: 1000}}},
			state(running(2), Reading{Value: 2600}), 6},
		"an external average": {Spec{Min: 1, Max: 20, Metrics: []Metric{{Source: External, Average: 1000}}},
			state(running(2), Reading{Value: 6500}), 7},
	} {
		if d := Recommend(Defaults(), tc.spec, tc.s); d.Proposed != tc.want {
			t.Errorf("%s: %d replicas are recommended, want %d: %+v", name, d.Proposed, tc.want, d)
		}
	}
}

func TestAPodThatHasNoRequestMakesTheMetricInvalid(t *testing.T) {
	pods := running(2)
	pods[1].Containers = []Container{{Name: "main"}}
	if d := Recommend(Defaults(), half(), state(pods, using(100, 100))); d.Reason != Blind || d.Err == nil {
		t.Errorf("decided %+v", d)
	}
}

// course runs steps a number of seconds apart, in each of which the metric asks
// for a number of replicas, and gives what came of it.
func course(set Settings, spec Spec, from int32, every time.Duration, asked ...int32) (got []int32) {
	spec.Metrics = []Metric{{Source: External, Average: 1000}}
	var m Memory
	for i, n := range asked {
		s := State{At: start.Add(time.Duration(i) * every), Wanted: from, Replicas: from, Readings: []Reading{{Value: int64(n) * 1000}}}
		var d Decision
		d, m = Step(set, spec, s, m)
		from = d.Replicas
		got = append(got, from)
	}
	return got
}

func TestCourses(t *testing.T) {
	set := Settings{DownscaleStabilization: 20 * time.Second, Tolerance: 0.1}
	usual := Usual()
	slow := Usual()
	window := 10 * time.Second
	slow.Up.Window = &window
	off := Usual()
	off.Down.Select = Disabled
	one := Usual()
	one.Down = Rules{Window: new(time.Duration), Policies: []Policy{{Value: 1, Period: 10 * time.Second}}}
	least := Usual()
	least.Up.Select = Least
	for name, tc := range map[string]struct {
		behavior *Behavior
		min, max int32
		from     int32
		asked    []int32
		want     []int32
	}{
		"doubled at most":                  {nil, 1, 20, 3, []int32{20, 20, 20}, []int32{6, 12, 20}},
		"to four at once":                  {nil, 1, 20, 1, []int32{20}, []int32{4}},
		"the window on the way down":       {nil, 1, 20, 8, []int32{2, 2, 2, 2, 2}, []int32{8, 8, 8, 8, 8}},
		"after the window on the way down": {nil, 1, 20, 8, []int32{2, 2, 2, 2, 2, 2}, []int32{8, 8, 8, 8, 8, 2}},
		"bounds":                           {nil, 2, 5, 3, []int32{9, 1, 1, 1, 1, 1, 1}, []int32{5, 5, 5, 5, 5, 2, 2}},
		"above the maximum":                {nil, 2, 5, 9, []int32{9}, []int32{5}},
		"below the minimum":                {nil, 2, 5, 1, []int32{1}, []int32{2}},
		"switched off":                     {nil, 2, 5, 0, []int32{4}, []int32{0}},
		"min = max":                        {nil, 3, 3, 3, []int32{9, 1}, []int32{3, 3}},
		"four or as many again":            {&usual, 1, 30, 2, []int32{30, 30, 30, 30}, []int32{6, 6, 6, 12}},
		"the least of several policies":    {&least, 1, 30, 2, []int32{30, 30, 30, 30}, []int32{4, 4, 4, 8}},
		"the lowest of the window":         {&slow, 1, 30, 2, []int32{4, 4, 4}, []int32{2, 2, 4}},
		"down is off":                      {&off, 1, 30, 9, []int32{1, 1, 1, 1, 1, 1, 1}, []int32{9, 9, 9, 9, 9, 9, 9}},
		"one Pod in ten seconds":           {&one, 1, 30, 9, []int32{1, 1, 1, 1, 1}, []int32{8, 8, 7, 7, 6}},
	} {
		got := course(set, Spec{Min: tc.min, Max: tc.max, Behavior: tc.behavior}, tc.from, 5*time.Second, tc.asked...)
		if fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: went %v, want %v", name, got, tc.want)
		}
	}
}

func TestAMemoryCanBeFollowedTwice(t *testing.T) {
	spec, set := half(), Defaults()
	var m Memory
	_, m = Step(set, spec, state(running(4), using(50, 50, 50, 50)), m)
	s := state(running(4), using(10, 10, 10, 10))
	first, _ := Step(set, spec, s, m)
	Step(set, spec, state(running(4), using(100, 100, 100, 100)), m)
	if again, _ := Step(set, spec, s, m); again.Replicas != first.Replicas {
		t.Errorf("the second course decided %d, the first %d", again.Replicas, first.Replicas)
	}
}
