package gateway

import (
	"testing"
	"time"
)

func TestWorkIsPaidByEachRequestOfTheAPI(t *testing.T) {
	const cost = 500 * time.Millisecond
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--work=sleep:500ms")
	began := time.Now()
	if a := in.get("/api/v1/users/42"); a.StatusCode != 200 || time.Since(began) < cost {
		t.Errorf("%d after %v, want 200 after %v at least", a.StatusCode, time.Since(began), cost)
	}
	// The negative control: what is not of the API costs nothing, and without the setting nothing does.
	for range 3 {
		in.get("/nowhere")
	}
	free := start(t, users.addr)
	free.get("/api/v1/users/42")
	for _, c := range []struct {
		in    *instance
		route string
		paid  bool
	}{{in, "/api/v1/users/:id", true}, {in, "unmatched", false}, {free, "/api/v1/users/:id", false}} {
		under := c.in.metric(`http_request_duration_seconds_bucket{method="GET",route="` + c.route + `",le="0.25"}`)
		if paid := under == 0; paid != c.paid {
			t.Errorf("%s: %v requests took less than 250 ms; want that they pay: %v", c.route, under, c.paid)
		}
	}
}

func TestWorkEndsWithTheRequestsBudget(t *testing.T) {
	for _, kind := range []string{"cpu", "sleep"} {
		in := start(t, "", "--work="+kind+":1m", "--request-timeout=50ms")
		began := time.Now()
		if a := in.get("/api/v1/users/42"); a.StatusCode != 504 || a.Code != codeTimeout || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %d %s after %v, want 504 at once", kind, a.StatusCode, a.raw, time.Since(began))
		}
	}
}

func TestVersionIsShown(t *testing.T) {
	in := start(t, "", "--version=v2.1")
	if a := in.get("/nowhere"); a.Header.Get("X-Version") != "v2.1" || a.Header.Get("X-Served-By") != "g1" {
		t.Errorf("X-Version %q, X-Served-By %q", a.Header.Get("X-Version"), a.Header.Get("X-Served-By"))
	}
	if a := start(t, "").get("/nowhere"); len(a.Header.Values("X-Version")) != 0 {
		t.Errorf("without a version X-Version is %q, want no such header", a.Header.Values("X-Version"))
	}
}
