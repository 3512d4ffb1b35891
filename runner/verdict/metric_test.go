package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// counting gives a counter that grows by so many a second from a time on.
func counting(perSecond float64, from time.Duration) func(time.Duration) float64 {
	return func(at time.Duration) float64 { return perSecond * max(0, (at-from).Seconds()) }
}

func TestArrivalsCountWhatReachedALinkOrATarget(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.steadily("peak", 100, nil)
	start, _ := s.phase("steady")
	s.series("gateway->users", "link_calls_total", "", 50*ms, counting(50, 0))
	s.series("client->gateway", "link_calls_total", "", 50*ms, counting(0, 0)) // HTTP/1.1: bytes, but no streams
	s.series("client->gateway", "link_bytes_up_total", "", 50*ms, counting(9000, 0))
	s.series("users/0", "grpc_server_started_total", `grpc_method="GetUser"`, 250*ms, counting(30, 0))
	s.series("users/1", "grpc_server_started_total", `grpc_method="GetUser"`, 250*ms, func(at time.Duration) float64 {
		restart := start + 2*time.Second // its counter begins again
		if at < restart {
			return counting(10, 0)(at)
		}
		return counting(10, restart)(at)
	})
	s.series("users/1", "grpc_server_started_total", `grpc_method="ListUsers"`, 250*ms, counting(1000, 0))
	run := s.end()
	arrivals := func(a Arrivals) Verdict {
		a.During = Phases{"steady"}
		return judgeBy(t, run, &a)
	}
	want(t, arrivals(Arrivals{Link: "gateway->users", Count: of[CountLimit](t, "195..205")}), Pass, "")
	want(t, arrivals(Arrivals{Link: "gateway->users", Count: of[CountLimit](t, "< 20")}), Fail, "calls arrived in 4s")
	want(t, arrivals(Arrivals{Link: "gateway->users", PerSecond: of[RateLimit](t, "49/s..51/s")}), Pass, "")
	want(t, arrivals(Arrivals{Link: "client->gateway", Count: of[CountLimit](t, "= 0")}), Inconclusive, "carried no HTTP/2")
	want(t, arrivals(Arrivals{Link: "gateway->other", Count: of[CountLimit](t, "= 0")}), Inconclusive, "link_calls_total of gateway->other was never read")
	method := map[string]string{"grpc_method": "GetUser"}
	want(t, arrivals(Arrivals{Target: "users", Metric: "grpc_server_started_total", Labels: method, PerSecond: of[RateLimit](t, "38/s..42/s")}), Pass, "")
	want(t, arrivals(Arrivals{Target: "users", Metric: "grpc_server_started_total", PerSecond: of[RateLimit](t, "> 1000/s")}), Pass, "")
	want(t, arrivals(Arrivals{Target: "users", Metric: "grpc_server_started_total", Labels: map[string]string{"grpc_method": "None"}, Count: of[CountLimit](t, "= 0")}),
		Inconclusive, `grpc_server_started_total{grpc_method="None"} of users was never read`)
}

// A counter is exported from its first count on: that one counts too. And one
// that stops being read tells nothing.
func TestCountersThatComeAndGo(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	start, end := s.phase("steady")
	s.series("gateway", "up", "", 250*ms, func(time.Duration) float64 { return 1 })
	for at := start + time.Second; at <= s.meta.Took; at += 250 * ms {
		s.points = append(s.points, evidence.Point{At: at, Target: "gateway", Name: "late_total", Value: 7})
	}
	for at := s.meta.Start; at < end-2*time.Second; at += 250 * ms {
		s.points = append(s.points, evidence.Point{At: at, Target: "gateway", Name: "gone_total", Value: 7})
	}
	for at := start + 2*time.Second; at <= s.meta.Took; at += 250 * ms {
		s.points = append(s.points, evidence.Point{At: at, Target: "newcomer", Name: "late_total", Value: 7})
	}
	run := s.end()
	count := func(target, metric, limit string) Verdict {
		return judgeBy(t, run, &Arrivals{Target: target, Metric: metric, During: Phases{"steady"}, Count: of[CountLimit](t, limit)})
	}
	want(t, count("gateway", "late_total", "= 7"), Pass, "")
	want(t, count("gateway", "gone_total", "= 0"), Inconclusive, "was not read near")
	want(t, count("newcomer", "late_total", "= 0"), Inconclusive, "was not read near")
	// It came into being after the warm-up, in which it therefore did not grow.
	want(t, judgeBy(t, run, &Arrivals{Target: "gateway", Metric: "late_total", During: Phases{"warmup"}, Count: of[CountLimit](t, "= 0")}), Pass, "")
}

func TestMetricLooksAtValues(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	start, end := s.phase("steady")
	s.series("gateway/0", "memory_bytes", "", 250*ms, func(at time.Duration) float64 { return 100 + (at - start).Seconds() })
	s.series("gateway/1", "memory_bytes", "", 250*ms, func(at time.Duration) float64 {
		if at > start+time.Second && at < start+2*time.Second {
			return 500 // a peak within the phase
		}
		if at > end {
			return 9000 // outside it
		}
		return 50
	})
	s.series("gateway", "requests_total", `code="200"`, 250*ms, counting(40, 0))
	run := s.end()
	metric := func(m Metric) Verdict {
		m.Target, m.During = "gateway", Phases{"steady"}
		return judgeBy(t, run, &m)
	}
	for _, c := range []struct {
		m        Metric
		status   Status
		says     string
		measured string
	}{
		{Metric{Name: "memory_bytes", Max: of[NumberLimit](t, "<= 500")}, Pass, "", "500"},
		{Metric{Name: "memory_bytes", Max: of[NumberLimit](t, "< 500")}, Fail, "memory_bytes of gateway/1 was 500 at", "500"},
		{Metric{Name: "memory_bytes", Min: of[NumberLimit](t, "> 60")}, Fail, "of gateway/1 was 50", "50"},
		{Metric{Name: "memory_bytes", Value: of[NumberLimit](t, "< 103")}, Fail, "of gateway/0 was 104", "104"},
		{Metric{Name: "memory_bytes", Value: of[NumberLimit](t, "< 208")}, Pass, "", "104"},
		{Metric{Name: "requests_total", Increase: of[NumberLimit](t, "158..162")}, Pass, "", "160"},
		{Metric{Name: "requests_total", Rate: of[RateLimit](t, "< 39/s")}, Fail, "it grew by 160 in 4s", "40/s"},
		{Metric{Name: "requests_total", Labels: map[string]string{"code": "500"}, Increase: of[NumberLimit](t, "= 0")}, Inconclusive, "never read", ""},
		{Metric{Name: "no_such", Max: of[NumberLimit](t, "< 1")}, Inconclusive, "no_such of gateway was never read", ""},
	} {
		v := metric(c.m)
		want(t, v, c.status, c.says)
		if v.Measured != c.measured {
			t.Errorf("%s: measured %q, want %q", v.Name, v.Measured, c.measured)
		}
	}
}
