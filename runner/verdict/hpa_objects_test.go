package verdict

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

func TestQuantitiesAreReadAsTheAPIWritesThem(t *testing.T) {
	for text, want := range map[string]int64{
		`"500m"`: 500, `"2Gi"`: 2 << 30 * 1000, `"1.5"`: 1500, `100`: 100_000, `"12345n"`: 1, `"64Mi"`: 64 << 20 * 1000, `"1k"`: 1_000_000, `"0"`: 0,
	} {
		var q quantity
		if err := json.Unmarshal([]byte(text), &q); err != nil || q.milli() != want {
			t.Errorf("%s is read as %d thousandths, want %d: %v", text, q.milli(), want, err)
		}
	}
	for _, text := range []string{`"x"`, `"1mm"`, `"Gi"`, `""`} {
		var q quantity
		if err := json.Unmarshal([]byte(text), &q); err == nil {
			t.Errorf("%s is read as %v", text, q)
		}
	}
}

func TestAnAutoscalerIsReadFromItsJSON(t *testing.T) {
	var o hpaObject
	err := json.Unmarshal([]byte(`{"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "gateway"}, "maxReplicas": 9,
		"metrics": [
			{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}},
			{"type": "ContainerResource", "containerResource": {"name": "memory", "container": "main", "target": {"type": "AverageValue", "averageValue": "64Mi"}}},
			{"type": "Pods", "pods": {"metric": {"name": "calls"}, "target": {"type": "AverageValue", "averageValue": "1500m"}}},
			{"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "x"}, "metric": {"name": "queue"}, "target": {"type": "Value", "value": "7"}}},
			{"type": "External", "external": {"metric": {"name": "jobs"}, "target": {"type": "AverageValue", "averageValue": "3"}}}],
		"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60, "tolerance": "50m", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}}}}`), &o)
	if err != nil {
		t.Fatal(err)
	}
	window, tolerance := time.Minute, 0.05
	behavior := autoscaler.Usual()
	behavior.Down.Window, behavior.Down.Tolerance = &window, &tolerance
	behavior.Down.Policies = []autoscaler.Policy{{Value: 1, Period: 30 * time.Second}}
	want := autoscaler.Spec{Min: 1, Max: 9, Behavior: &behavior, Metrics: []autoscaler.Metric{
		{Source: autoscaler.Resource, Name: "cpu", Utilization: 50},
		{Source: autoscaler.ContainerResource, Name: "memory", Container: "main", Average: 64 << 20 * 1000},
		{Source: autoscaler.Pods, Name: "calls", Average: 1500},
		{Source: autoscaler.Object, Name: "queue", Value: 7000},
		{Source: autoscaler.External, Name: "jobs", Average: 3000},
	}}
	if got := o.spec(); !reflect.DeepEqual(got, want) {
		t.Errorf("read  %+v\nwant %+v", got, want)
	}
}

func TestAPodIsReadFromItsJSON(t *testing.T) {
	var o hpaPod
	err := json.Unmarshal([]byte(`{"metadata": {"name": "a", "deletionTimestamp": "2026-01-02T15:04:05Z"},
		"spec": {"resources": {"requests": {"cpu": "1"}}, "containers": [{"name": "main", "resources": {"requests": {"cpu": "500m"}}}],
			"initContainers": [{"name": "once"}, {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1m"}}}]},
		"status": {"phase": "Running", "startTime": "2026-01-02T15:00:00Z", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T15:00:01Z"}]}}`), &o)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	want := autoscaler.Pod{Name: "a", Phase: "Running", Deleting: true, Started: at, Ready: "True", ReadyChanged: at.Add(time.Second),
		Requests:   map[string]int64{"cpu": 1000},
		Containers: []autoscaler.Container{{Name: "main", Requests: map[string]int64{"cpu": 500}}, {Name: "side", Requests: map[string]int64{"cpu": 1}}}}
	if got := o.pod(); !reflect.DeepEqual(got, want) {
		t.Errorf("read  %+v\nwant %+v", got, want)
	}
}

func TestAStepIsReadFromItsEvent(t *testing.T) {
	for message, want := range map[string]int32{"New size: 12; reason: cpu resource utilization (percentage of request) above target": 12, "New size: many": -1} {
		got, ok := hpaEvent{Reason: "SuccessfulRescale", Message: message}.size()
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is read as %d, %t", message, got, ok)
		}
	}
	if _, ok := (hpaEvent{Reason: "FailedRescale", Message: "New size: 12; reason: "}).size(); ok {
		t.Error("a failed step is taken for one")
	}
}
