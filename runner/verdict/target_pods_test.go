package verdict

import (
	"fmt"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// restartedPod is a Pod of the gateway whose container was started again so often.
func restartedPod(at time.Duration, uid string, times int) evidence.Event {
	return evidence.Event{At: at, Kind: evidence.ObjectSeen, Target: "gateway", Object: &evidence.Object{
		Action: "changed", Kind: "Pod", Name: "gateway-" + uid, UID: uid,
		Data: fmt.Appendf(nil, `{"status":{"containerStatuses":[{"name":"gateway","restartCount":%d}]}}`, times),
	}}
}

func TestRestartsOfPods(t *testing.T) {
	once := CountLimit{}
	if err := once.UnmarshalText([]byte("= 1")); err != nil {
		t.Fatal(err)
	}
	check := &Target{Target: "gateway", Restarts: &once}
	for name, tc := range map[string]struct {
		events []evidence.Event
		want   Status
	}{
		"once":                              {[]evidence.Event{restartedPod(0, "a", 0), restartedPod(0, "b", 0), restartedPod(5, "a", 1)}, Pass},
		"never":                             {[]evidence.Event{restartedPod(0, "a", 0), restartedPod(5, "a", 0)}, Fail},
		"in two Pods":                       {[]evidence.Event{restartedPod(0, "a", 0), restartedPod(0, "b", 0), restartedPod(5, "a", 1), restartedPod(6, "b", 1)}, Fail},
		"before the watch began":            {[]evidence.Event{restartedPod(0, "a", 3), restartedPod(5, "a", 3)}, Fail},
		"a new Pod in the place of another": {[]evidence.Event{restartedPod(0, "a", 0), restartedPod(5, "b", 0)}, Fail},
		"no Pod was seen":                   {nil, Inconclusive},
	} {
		run := &evidence.Run{Meta: evidence.Meta{Outcome: evidence.Completed}, Events: tc.events}
		if v := check.Judge(run); v.Status != tc.want {
			t.Errorf("%s: %v (%s), want %v", name, v.Status, v.Why, tc.want)
		}
	}
}
