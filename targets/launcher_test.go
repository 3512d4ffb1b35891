package targets

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestReferenceServicesStartInOrderAndKeepTheirAddress(t *testing.T) {
	l, rec := launch(t)
	ctx := context.Background()
	us, err := l.Start(ctx, &Spec{Name: "users", Reference: "users", Replicas: 2, Grace: 10 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	addrs := us.Addrs()
	if len(addrs) != 2 || addrs[0] == addrs[1] {
		t.Fatalf("two replicas listen on %v, want two addresses", addrs)
	}
	gw, err := l.Start(ctx, &Spec{
		Name: "gateway", Reference: "gateway", Replicas: 1, Grace: 10 * time.Second,
		Calls: map[string]string{"users": "users"}, Tuning: map[string]string{"access-log": "off"},
	}, map[string][]string{"users": addrs})
	if err != nil {
		t.Fatal(err)
	}
	if body := get(t, "http://"+gw.Addrs()[0]+"/api/v1/users/42"); !strings.Contains(body, `"42"`) {
		t.Errorf("the gateway answers %q, want the user of the service behind it", body)
	}
	if urls := us.MetricsURLs(); urls["users/1"] == "" || urls["users/2"] == "" {
		t.Errorf("metrics are at %v, want one address a replica", urls)
	}

	p := us.Processes()[1]
	if err := p.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := us.Healthy(ctx); err == nil || !strings.Contains(err.Error(), "users/2") {
		t.Errorf("after users/2 was killed, health is %v, want it named", err)
	}
	exit, ok := rec.find(evidence.TargetExit)
	if !ok || exit.Target != "users/2" || !exit.Expected || !strings.Contains(exit.Text, "killed") {
		t.Errorf("the event of the kill is %+v, want users/2, expected, with the signal", exit)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if got := us.Addrs()[1]; got != addrs[1] {
		t.Errorf("after its restart it listens on %s, want %s as before", got, addrs[1])
	}
	if err := p.Start(ctx); err == nil {
		t.Error("starting what runs must be an error")
	}
	if err := us.Healthy(ctx); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestCommandGetsItsPlaceholdersAndItsEndIsAnEvent(t *testing.T) {
	l, rec := launch(t)
	spec := command("shop", "serve", "${addr}", "port=${port}", "up=${calls.db}")
	spec.Env = map[string]string{"FIXTURE": "from-env-${port}-${calls.db}"}
	spec.Calls = map[string]string{"db": "db"}
	spec.Ready = &Ready{HTTP: "/healthz", Within: 15 * time.Second}
	shop, err := l.Start(context.Background(), spec, map[string][]string{"db": {"127.0.0.1:1", "127.0.0.1:2"}})
	if err != nil {
		t.Fatal(err)
	}
	addr := shop.Addrs()[0]
	_, port, _ := strings.Cut(addr, ":")
	want := addr + " port=" + port + " up=127.0.0.1:1,127.0.0.1:2 from-env-" + port + "-127.0.0.1:1,127.0.0.1:2"
	if got := get(t, "http://"+addr+"/"); got != want {
		t.Errorf("the command sees %q, want %q", got, want)
	}
	if resp, err := http.Get("http://" + addr + "/die"); err == nil {
		resp.Body.Close()
	}
	eventually(t, "the end of the target is an event", func() bool { _, ok := rec.find(evidence.TargetExit); return ok })
	exit, _ := rec.find(evidence.TargetExit)
	if exit.Expected || !strings.Contains(exit.Text, "exit status 3") || !strings.Contains(exit.Text, "last words") {
		t.Errorf("the event is %+v, want an unexpected exit status 3 with the last output", exit)
	}
	log, err := os.ReadFile(filepath.Join(l.cfg.LogDir, "shop.log"))
	if err != nil || !strings.Contains(string(log), "last words") {
		t.Errorf("its output is kept as %q (%v)", log, err)
	}
}

func TestTargetThatDoesNotGetReady(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"ends before":   {[]string{"fail"}, "about to fail"},
		"never listens": {[]string{"idle"}, "doing nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := launch(t)
			spec := command("bad", tc.args...)
			spec.Ready = &Ready{Within: 2 * time.Second}
			_, err := l.Start(context.Background(), spec, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with the output %q", err, tc.want)
			}
		})
	}
}

func TestReadyByLine(t *testing.T) {
	l, rec := launch(t)
	spec := command("liner", "idle")
	spec.Ready = &Ready{Line: "^doing nothing$", Within: 3 * time.Second}
	_, err := l.Start(context.Background(), spec, nil)
	// The line comes, but nothing listens: both are wanted.
	if err == nil {
		t.Fatal("a target that does not listen must not be ready")
	}
	if _, ok := rec.find(evidence.TargetReady); ok {
		t.Error("it was called ready")
	}
}

func TestPausedTargetAnswersAgainWhenResumed(t *testing.T) {
	l, rec := launch(t)
	spec := command("pausable", "serve", "${addr}")
	spec.Ready = &Ready{HTTP: "/", Within: 15 * time.Second}
	target, err := l.Start(context.Background(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := target.Processes()[0]
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := target.Healthy(short); err == nil {
		t.Error("a paused target answered")
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers again", func() bool { return target.Healthy(context.Background()) == nil })
	for _, kind := range []evidence.Kind{evidence.TargetPaused, evidence.TargetResumed} {
		if _, ok := rec.find(kind); !ok {
			t.Errorf("no event %s", kind)
		}
	}
}

func TestCloseEndsTheWholeGroupAlsoWhenPaused(t *testing.T) {
	for _, paused := range []bool{false, true} {
		l, _ := launch(t)
		target, err := l.Start(context.Background(), command("family", "family", "${addr}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		p := target.Processes()[0]
		pid, child := p.PID(), childOf(p)
		if child == 0 || !alive(child) {
			t.Fatalf("the family has no child: %q", p.out.last())
		}
		if paused {
			if err := p.Pause(); err != nil {
				t.Fatal(err)
			}
		}
		if err := target.stop(context.Background()); err != nil {
			t.Errorf("paused=%v: %v", paused, err)
		}
		eventually(t, "parent and child are gone", func() bool { return !alive(pid) && !alive(child) })
	}
}

func TestStubbornTargetIsKilledAndThatIsAnError(t *testing.T) {
	l, _ := launch(t)
	spec := command("stubborn", "stubborn", "${addr}")
	spec.Grace = 200 * time.Millisecond
	target, err := l.Start(context.Background(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	pid := target.Processes()[0].PID()
	err = target.stop(context.Background())
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v, want an error that says it had to be killed", err)
	}
	if alive(pid) {
		t.Error("it is still there")
	}
}

func TestHarnessKilledLeavesNothingBehind(t *testing.T) {
	harness := exec.Command(os.Args[0], "harness", t.TempDir())
	harness.Stderr = os.Stderr
	out, err := harness.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := harness.Start(); err != nil {
		t.Fatal(err)
	}
	harnessPids := 2*len(harnessTargets()) + 1 // each with a child, and the guard
	var pids []int
	lines := bufio.NewScanner(out)
	for len(pids) < harnessPids && lines.Scan() {
		_, text, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("the harness says %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = harness.Wait() // "signal: killed" is what is wanted
	if len(pids) != harnessPids {
		t.Fatalf("the harness told of the processes %v, want %d", pids, harnessPids)
	}
	eventually(t, "no process of the run is left", func() bool {
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}

func TestGuardSparesWhatWasTakenAway(t *testing.T) {
	l, _ := launch(t)
	target, err := l.Start(context.Background(), command("spared", "serve", "${addr}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	pid := target.Processes()[0].PID()
	if err := Guard(strings.NewReader("+" + strconv.Itoa(pid) + "\n-" + strconv.Itoa(pid) + "\nrubbish\n+1\n")); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatal("the guard killed a process that had been taken away")
	}
	if err := Guard(strings.NewReader("+" + strconv.Itoa(pid) + "\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the guard killed what was left", func() bool { return !alive(pid) })
}

func TestExternalTarget(t *testing.T) {
	l, _ := launch(t)
	own, err := l.Start(context.Background(), command("own", "serve", "${addr}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ext, err := l.Start(context.Background(), &Spec{Name: "ext", External: "http://" + own.Addrs()[0], Metrics: "/metrics", Replicas: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ext.Addrs()[0] != own.Addrs()[0] || len(ext.Processes()) != 0 {
		t.Errorf("external target: %v, %d processes", ext.Addrs(), len(ext.Processes()))
	}
	if url := ext.MetricsURLs()["ext"]; url != "http://"+own.Addrs()[0]+"/metrics" {
		t.Errorf("its metrics are at %q", url)
	}
	gone := &Spec{Name: "gone", External: freeAddr(t), Replicas: 1, Ready: &Ready{Within: 300 * time.Millisecond}}
	if _, err := l.Start(context.Background(), gone, nil); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("an external target that is not there: %v, want an error that names it", err)
	}
}
