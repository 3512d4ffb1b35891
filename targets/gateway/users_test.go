package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ordeal/targets/users"
)

// startReference runs the reference user service until stop is called or the test ends.
func startReference(t *testing.T, args ...string) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var stderr lines
	exit := make(chan int, 1)
	go func() {
		exit <- users.Main(ctx, append([]string{"--addr=127.0.0.1:0", "--admin=127.0.0.1:0"}, args...), w, &stderr)
		_ = w.Close()
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-exit; code != 0 {
			t.Errorf("the user service exits with %d:\n%s", code, &stderr)
		}
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(r).ReadString('\n')
	if _, scan := fmt.Sscanf(line, "ready service=users addr=%s", &addr); err != nil || scan != nil {
		t.Fatalf("ready line %q, error %v:\n%s", line, err, &stderr)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return addr, stop
}

// A replica that stops gracefully costs no call, not even one that may not be repeated.
func TestReplicaStopsWithoutAFailedCall(t *testing.T) {
	one, stopOne := startReference(t, "--seed-users=0")
	two, _ := startReference(t, "--seed-users=0")
	in := start(t, one+","+two, "--retry=off", "--breaker=off")
	var stopped atomic.Bool
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i, last := 0, false; !last && i < 1_000_000; i++ {
				last = stopped.Load()
				body := fmt.Sprintf(`{"id":"w%d-%d","name":"a"}`, worker, i)
				if a := in.write("POST", "/api/v1/users", body); a.StatusCode != 201 {
					t.Errorf("call %d: %d %s", i, a.StatusCode, a.raw)
					return
				}
			}
		})
	}
	eventually(t, "the load runs", func() bool {
		return in.metric(`gateway_upstream_attempts_total{method="CreateUser",result="OK"}`) > 50
	})
	stopOne()
	stopped.Store(true)
	wg.Wait()
}

// The two reference services, as they are run: every route, page by page, and health.
func TestWithTheReferenceUserService(t *testing.T) {
	addr, _ := startReference(t, "--seed-users=25", "--drain-delay=0s")
	in := start(t, addr)

	seen, token := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		a := in.get("/api/v1/users?page_size=10&page_token=" + token)
		var page userList
		if err := json.Unmarshal(a.Data, &page); err != nil || a.StatusCode != 200 || a.Header.Get("X-Degraded") != "" {
			t.Fatalf("page %d: %d %s", pages, a.StatusCode, a.raw)
		}
		for _, u := range page.Users {
			seen[u.ID] = true
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("the pages hold %d users, want 25", len(seen))
	}

	a := in.write("POST", "/api/v1/users", `{"name":"Grace","age":45,"city":"Arlington"}`)
	var created userView
	if err := json.Unmarshal(a.Data, &created); err != nil || a.StatusCode != 201 || created.ID == "" || created.CreateTime.IsZero() {
		t.Fatalf("create: %d %s", a.StatusCode, a.raw)
	}
	path := "/api/v1/users/" + created.ID
	if a := in.write("PUT", path, fmt.Sprintf(`{"name":"Hopper","revision":%d}`, created.Revision)); a.StatusCode != 200 || !strings.Contains(a.raw, "Hopper") {
		t.Errorf("update: %d %s", a.StatusCode, a.raw)
	}
	if a := in.write("PUT", path, fmt.Sprintf(`{"name":"Late","revision":%d}`, created.Revision)); a.StatusCode != 409 || a.Code != codeMovedOn {
		t.Errorf("update from an old revision: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get(path); a.StatusCode != 200 || strings.Contains(a.raw, "Arlington") {
		t.Errorf("an update replaces what a client may set, but: %d %s", a.StatusCode, a.raw)
	}
	if a := in.write("DELETE", path, ""); a.StatusCode != 200 {
		t.Errorf("delete: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get(path); a.StatusCode != 404 {
		t.Errorf("get after delete: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get("/api/v1/users?page_token=nonsense"); a.StatusCode != 400 || a.Code != codeRefused {
		t.Errorf("a page token that is not one: %d %s", a.StatusCode, a.raw)
	}
	if code, _, users := report(in); code != 200 || users.Status != up {
		t.Errorf("/health: %d %+v", code, users)
	}
}
