package main

import (
	"testing"
	"time"
)

func TestStreamsAreHeldAgainstTheTruth(t *testing.T) {
	t.Parallel()
	s := testSuite(t)
	for _, c := range grpcCases() {
		if c.name != "grpc-bidi" {
			continue
		}
		c.program, c.schedule = "stall 500ms 300ms", hold(50, 2*time.Second)
		o, err := s.observe(t.Context(), &c)
		if err != nil {
			t.Fatal(err)
		}
		a := judgeRun(&c, o)
		if len(a.problems) > 0 || a.messages == nil || a.messages.trueResponse.count != 300 {
			t.Fatalf("%+v", a)
		}
		if most := a.messages.trueResponse.at[4].value; most < 200*time.Millisecond {
			t.Errorf("the slowest message took %v in truth", most)
		}
	}
}
