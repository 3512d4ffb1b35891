package load

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestStreamsEndByThemselves(t *testing.T) {
	t.Parallel()
	tg := newGRPCTarget(t)
	sizes := func(n int, open bool) map[string]any {
		m := map[string]any{}
		for range n {
			parameters, _ := m["response_parameters"].([]any)
			m["response_parameters"] = append(parameters, map[string]any{"size": 1})
		}
		if open {
			m["payload"] = map[string]any{"body": "eA=="}
		}
		return m
	}
	const out, in, both = testService + "StreamingOutputCall", testService + "StreamingInputCall", testService + "FullDuplexCall"
	for _, c := range []struct {
		name     string
		grpc     GRPC
		class    evidence.Class
		from, to time.Duration // how long it takes
	}{
		{"all that come", GRPC{Call: out, Data: sizes(5, false)}, evidence.OK, 0, 8 * time.Second},
		{"the first three", GRPC{Call: out, Data: sizes(5, true), Count: 3}, evidence.OK, 0, 8 * time.Second},
		{"for a time", GRPC{Call: out, Data: sizes(5, true), For: time.Second}, evidence.OK, 940 * time.Millisecond, 8 * time.Second},
		{"for a time, and nothing comes", GRPC{Call: out, Data: sizes(0, true), For: 300 * time.Millisecond}, evidence.Timeout, 290 * time.Millisecond, 8 * time.Second},
		{"not at all", GRPC{Call: out, Data: sizes(5, true)}, evidence.Timeout, 1400 * time.Millisecond, 8 * time.Second},
		{"send a few, with pauses", GRPC{Call: in, Messages: []any{map[string]any{}, map[string]any{}}, Repeat: 2, Interval: 50 * time.Millisecond}, evidence.OK, 140 * time.Millisecond, 8 * time.Second},
		{"send for a time", GRPC{Call: in, For: 200 * time.Millisecond, Interval: time.Millisecond}, evidence.OK, 190 * time.Millisecond, 8 * time.Second},
		{"a pause longer than the time", GRPC{Call: in, For: 200 * time.Millisecond, Interval: time.Minute}, evidence.OK, 190 * time.Millisecond, 8 * time.Second},
		{"both for a time", GRPC{Call: both, Data: sizes(1, false), For: 200 * time.Millisecond, Interval: 10 * time.Millisecond}, evidence.OK, 190 * time.Millisecond, 8 * time.Second},
		{"both until enough has come", GRPC{Call: both, Data: sizes(1, false), For: 9 * time.Second, Interval: 10 * time.Millisecond, Count: 3}, evidence.OK, 10 * time.Millisecond, 8 * time.Second},
		{"both, with pauses that the timeout ends", GRPC{Call: both, Repeat: 2, Interval: time.Minute}, evidence.Timeout, 1400 * time.Millisecond, 8 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := Spec{GRPC: &c.grpc, Timeout: 10 * time.Second}
			if c.class == evidence.Timeout {
				spec.Timeout = 1500 * time.Millisecond
			}
			s := calls(t, spec, 1, tg.addr)[0]
			if s.Class != c.class || s.Service() < c.from || s.Service() > c.to {
				t.Errorf("%v %d after %v; want %v after %v to %v", s.Class, s.Code, s.Service(), c.class, c.from, c.to)
			}
		})
	}
}
