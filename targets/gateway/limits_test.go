package gateway

import (
	"strconv"
	"testing"
)

func TestRateLimit(t *testing.T) {
	const calls = 30
	for _, c := range []struct {
		name     string
		settings []string
		passed   int
		wait     string // in Retry-After
	}{
		{"burst, then refused", []string{"--rate-limit=0.001/s", "--rate-burst=5"}, 5, "1000"},
		{"default", nil, calls, ""},
		{"off", []string{"--rate-limit=off", "--rate-burst=5"}, calls, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			in := start(t, users.addr, c.settings...)
			passed := 0
			for range calls {
				switch a := in.get("/api/v1/users/42"); {
				case a.StatusCode == 200:
					passed++
				case a.StatusCode != 429 || a.Code != codeTooMany || a.Header.Get("Retry-After") != c.wait || a.Header.Get("X-Degraded") != "":
					t.Errorf("%d, Retry-After %q, X-Degraded %q, %s; want 429, %q",
						a.StatusCode, a.Header.Get("Retry-After"), a.Header.Get("X-Degraded"), a.raw, c.wait)
				}
			}
			if passed != c.passed || users.arrivals.Load() != int64(c.passed) {
				t.Errorf("%d passed, %d arrived: want %d", passed, users.arrivals.Load(), c.passed)
			}
			if got := in.metric("rate_limit_rejected_total"); got != float64(calls-c.passed) {
				t.Errorf("rate_limit_rejected_total is %v, want %d", got, calls-c.passed)
			}
			if in.get("/nowhere").StatusCode != 404 {
				t.Error("the limit of the API is put on other paths")
			}
		})
	}
}

// A limit that is waited out lets requests through again; Retry-After is at least a second.
func TestRateLimitRefills(t *testing.T) {
	in := start(t, "", "--rate-limit=20/s", "--rate-burst=1")
	passed, refused := 0, 0
	eventually(t, "three requests pass and one is refused", func() bool {
		a := in.get("/api/v1/users/42")
		if a.StatusCode != 429 {
			passed++
			return false
		}
		refused++
		if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n != 1 {
			t.Fatalf("Retry-After %q, want 1", a.Header.Get("Retry-After"))
		}
		return passed >= 3
	})
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
