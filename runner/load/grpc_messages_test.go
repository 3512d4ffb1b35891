package load

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"ordeal/runner/evidence"
)

// TestNoMessageVanishes: a message without an answer is there, with the class
// and the end of its call.
func TestNoMessageVanishes(t *testing.T) {
	t.Parallel()
	const sent, answered = 10, 3
	for _, c := range []struct {
		name        string
		answer      codes.Code // after so many; DeadlineExceeded: none
		call, class evidence.Class
	}{
		{"well", codes.OK, evidence.OK, evidence.Other},
		{"error", codes.Aborted, evidence.GRPCStatus, evidence.GRPCStatus},
		{"timeout", codes.DeadlineExceeded, evidence.Timeout, evidence.Timeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := evidence.NewClock()
			tg := newGRPCTarget(t, grpc.StreamInterceptor(func(_ any, both grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
				for n := range sent {
					if err := both.RecvMsg(&testpb.StreamingOutputCallRequest{}); err != nil {
						return err
					}
					if n < answered {
						if err := both.SendMsg(&testpb.StreamingOutputCallResponse{}); err != nil {
							return err
						}
					}
				}
				if c.answer == codes.DeadlineExceeded {
					<-both.Context().Done()
				}
				return status.Error(c.answer, "as you wish")
			}))
			timeout := 30 * time.Second
			if c.call == evidence.Timeout {
				timeout = 3 * time.Second
			}
			call, messages := oneStream(t, clock, tg.addr, GRPC{Call: testService + "FullDuplexCall", Repeat: sent}, timeout)
			if call.Class != c.call || len(messages) != sent {
				t.Fatalf("%v, %d messages", call.Class, len(messages))
			}
			for i, m := range messages {
				want := c.class
				if i < answered {
					want = evidence.OK
				}
				if m.Class != want || i >= answered && m.Done != call.Done {
					t.Errorf("message %d: %v at %v, want %v; the call ended at %v", i, m.Class, m.Done, want, call.Done)
				}
			}
		})
	}
}

// TestMessagesAreBounded: a far side that never answers does not fill the
// memory, and what is given up is recorded once.
func TestMessagesAreBounded(t *testing.T) {
	out := &messageCollector{}
	run := recordOf(t.Context(), t, out, 0)
	run.env.Index, run.timeout = 3, time.Hour
	run.stream = streamBounds{kind: bidiStream}
	run.hire(1)
	c := run.issue(0, 0)
	c.picked(t.Context(), "a")
	const more = 100
	for range maxOpen + more {
		n, _ := c.ready(0)
		if !c.send(0) || n == 0 && c.receive() {
			t.Fatal("the stream has ended")
		}
	}
	if len(c.flow.open) > maxOpen || len(out.messages) != more {
		t.Errorf("%d open, %d recorded", len(c.flow.open), len(out.messages))
	}
	for range more { // late answers: to message 1 and on, the first of which are given up
		c.receive()
	}
	c.end()
	if got := out.of(t, 0); len(got) != maxOpen+more || got[0].Class != evidence.OK || got[more-1].Class != evidence.Other || got[more].Class != evidence.OK {
		t.Errorf("%d messages, %v %v %v", len(got), got[0].Class, got[more-1].Class, got[more].Class)
	}
}
