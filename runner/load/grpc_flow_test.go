package load

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"ordeal/runner/evidence"
)

// messageCollector keeps messages, too.
type messageCollector struct {
	collector
	messages []evidence.Message
}

func (c *messageCollector) Message(m evidence.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, m)
}

// of gives the messages of one call in order, and fails where one is missing,
// there twice, or of times that do not fit.
func (c *messageCollector) of(t *testing.T, call uint64) []evidence.Message {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []evidence.Message
	for _, m := range c.messages {
		if m.Call == call {
			got = append(got, m)
		}
	}
	slices.SortFunc(got, func(a, b evidence.Message) int { return cmp.Compare(a.N, b.N) })
	for i, m := range got {
		if m.N != uint64(i) || m.Load != 3 || m.Sent < m.Intended || m.Done < m.Sent {
			t.Fatalf("message %d of call %d: %+v", i, call, m)
		}
	}
	return got
}

// stalling is a service that says when it took and gave each message, and
// stands still for a time before it goes on with message stallAt.
type stalling struct {
	testpb.UnimplementedTestServiceServer
	clock evidence.Clock

	mu          sync.Mutex
	took, given []time.Duration
}

const (
	stallAt    = 50
	stallFor   = 2 * time.Second
	stallEvery = 10 * time.Millisecond // a message
	stallCount = 200                   // messages
)

func (s *stalling) note(times *[]time.Duration) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*times = append(*times, s.clock.Now())
	return len(*times)
}

// truth gives what was noted.
func (s *stalling) truth() (took, given []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.took), slices.Clone(s.given)
}

func (s *stalling) FullDuplexCall(both grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	for {
		if _, err := both.Recv(); err != nil {
			return nil
		}
		if s.note(&s.took) == stallAt {
			time.Sleep(stallFor)
		}
		s.note(&s.given)
		if err := both.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

func (s *stalling) StreamingInputCall(in grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	for {
		if _, err := in.Recv(); err != nil {
			return in.SendAndClose(&testpb.StreamingInputCallResponse{})
		}
		if s.note(&s.took) == stallAt {
			time.Sleep(stallFor)
		}
	}
}

func (s *stalling) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	for n := range stallCount {
		time.Sleep(stallEvery)
		if n == stallAt {
			time.Sleep(stallFor)
		}
		s.note(&s.given)
		if err := out.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	return nil
}

// serveStalling starts the service, with the least room for messages on their
// way that gRPC has.
func serveStalling(t *testing.T, clock evidence.Clock) (*stalling, string) {
	t.Helper()
	lis := listen(t)
	srv := grpc.NewServer(grpc.InitialWindowSize(1<<16), grpc.InitialConnWindowSize(1<<16))
	s := &stalling{clock: clock}
	testpb.RegisterTestServiceServer(srv, s)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(lis) }()
	t.Cleanup(func() { srv.Stop(); <-ended })
	return s, lis.Addr().String()
}

// oneStream makes one call and gives its sample and its messages.
func oneStream(t *testing.T, clock evidence.Clock, addr string, g GRPC, timeout time.Duration) (evidence.Sample, []evidence.Message) {
	t.Helper()
	g.Protoset = protoset(t)
	spec := Spec{Name: "l", GRPC: &g, Timeout: timeout, Rate: holdAt(1)}
	engine, err := spec.Engine(Env{Index: 3, Addrs: []string{addr}, Clock: clock, End: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	got := &messageCollector{}
	if err := engine.Run(t.Context(), clock.Now(), schedule(t, spec, phases(time.Second), 1), got); err != nil {
		t.Fatal(err)
	}
	if got.count() != 1 {
		t.Fatalf("%d calls", got.count())
	}
	return got.sorted()[0], got.of(t, 0)
}

// quantiles of times, and their maximum.
func quantiles(times []time.Duration) (q [4]time.Duration) {
	times = slices.Sorted(slices.Values(times))
	for i, p := range []float64{0.5, 0.9, 0.99, 1} {
		q[i] = times[int(p*float64(len(times)-1))]
	}
	return q
}

// off is the greatest difference of two sets of quantiles.
func off(a, b [4]time.Duration) (most time.Duration) {
	for i := range a {
		most = max(most, a[i]-b[i], b[i]-a[i])
	}
	return most
}

// TestMessagesAcrossAStall: the target stands still for 2 s in the middle of a
// stream. The latency of each message must be what the target's own log says;
// counted from when it could be sent at last, most of the stall is not there.
func TestMessagesAcrossAStall(t *testing.T) {
	t.Parallel()
	// Large messages, so that the stall blocks the sender soon.
	large := map[string]any{"payload": map[string]any{"body": base64.StdEncoding.EncodeToString(make([]byte, 30_000))}}
	for _, c := range []struct {
		name string
		grpc GRPC
		// truth is the time that each message took, by the log.
		truth func(took, given []time.Duration, call evidence.Sample) []time.Duration
		blind bool // without the times at which messages were due, the figures are wrong
	}{
		{
			"bidi", GRPC{Call: testService + "FullDuplexCall", Data: large, Repeat: stallCount, Interval: stallEvery},
			func(took, given []time.Duration, _ evidence.Sample) (times []time.Duration) {
				for n, at := range given {
					times = append(times, at-(took[0]+time.Duration(n)*stallEvery))
				}
				return times
			}, true,
		},
		{
			"client", GRPC{Call: testService + "StreamingInputCall", Data: large, Repeat: stallCount, Interval: stallEvery},
			func(took, _ []time.Duration, _ evidence.Sample) (times []time.Duration) {
				// Accepted for sending when there is room: four messages before it is taken.
				for n := range took {
					times = append(times, max(0, took[max(0, n-4)]-(took[0]+time.Duration(n)*stallEvery)))
				}
				return times
			}, true,
		},
		{
			"server", GRPC{Call: testService + "StreamingOutputCall"},
			func(_, given []time.Duration, call evidence.Sample) (times []time.Duration) {
				for n, at := range given {
					if n == 0 {
						times = append(times, at-call.Sent)
					} else {
						times = append(times, at-given[n-1])
					}
				}
				return times
			}, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// A machine that stands still between the target's log and ours is not the
			// engine's fault. It does not do so three times in a row.
			var wrong []string
			for range 3 {
				if wrong = acrossAStall(t, c.grpc, c.truth, c.blind); len(wrong) == 0 {
					return
				}
			}
			t.Error(strings.Join(wrong, "\n"))
		})
	}
}

// acrossAStall makes one call and says where its times are not the target's.
func acrossAStall(t *testing.T, g GRPC, truthOf func(took, given []time.Duration, call evidence.Sample) []time.Duration, blind bool) (wrong []string) {
	clock := evidence.NewClock()
	target, addr := serveStalling(t, clock)
	call, messages := oneStream(t, clock, addr, g, 30*time.Second)
	took, given := target.truth()
	truth := truthOf(took, given, call)
	var response, service []time.Duration
	for _, m := range messages {
		response, service = append(response, m.Response()), append(service, m.Service())
		if m.Class != evidence.OK {
			t.Errorf("%+v", m)
		}
	}
	if len(messages) != stallCount || len(truth) != stallCount || call.Class != evidence.OK {
		t.Fatalf("%d messages, the target says %d of %d; the call is %v", len(messages), len(truth), stallCount, call.Class)
	}
	const tolerance = 100 * time.Millisecond // of a stall of 2 s, on a busy machine
	want := quantiles(truth)
	if got := quantiles(response); off(got, want) > tolerance {
		wrong = append(wrong, fmt.Sprintf("p50, p90, p99 and max are %v, the target's log says %v", got, want))
	}
	if got := quantiles(service); (off(got, want) > 5*tolerance) != blind {
		wrong = append(wrong, fmt.Sprintf("the control: from the actual send they are %v, the truth is %v", got, want))
	}
	last := append(took, given...)
	if call.Done < slices.Max(last) || call.Done > slices.Max(last)+tolerance || call.Sent > slices.Min(last) {
		wrong = append(wrong, fmt.Sprintf("the call went from %v to %v, the target's log from %v to %v", call.Sent, call.Done, slices.Min(last), slices.Max(last)))
	}
	return wrong
}
