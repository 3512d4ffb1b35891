package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

func TestTwoInTheBackgroundFromUpToDown(t *testing.T) {
	one, other := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "other")
	for _, dir := range []string{one, other} {
		stdout, stderr, code := command(t, "up", "--dir", dir)
		t.Cleanup(func() { command(t, "down", "--dir", dir) })
		if code != exitOK || !strings.Contains(stdout, "localkube kubectl --dir "+dir+" get nodes") {
			t.Fatalf("exit %d, %s%s", code, stdout, stderr)
		}
	}
	u, v := uses(t, one), uses(t, other)
	if u.state.Server == v.state.Server || u.state.Subnet == v.state.Subnet {
		t.Errorf("two have one address: %v %v and %v %v", u.state.Server, u.state.Subnet, v.state.Server, v.state.Subnet)
	}

	_, stderr, code := command(t, "up", "--dir", one)
	if code != exitFailed || !strings.Contains(stderr, "already up (pid "+itoa(u.state.PID)) || !strings.HasSuffix(stderr, "localkube down --dir "+one+"\n") {
		t.Errorf("up again: exit %d and %q, want that it is up and how to end it", code, stderr)
	}

	stdout, stderr, code := command(t, "status", "--dir", one)
	if code != exitOK || !strings.Contains(stdout, "localkube is up") || !strings.Contains(stdout, "kube-scheduler") || !strings.Contains(stdout, "localkube (ready)") || strings.Contains(stdout, "gone") {
		t.Errorf("status: exit %d, %s%s", code, stdout, stderr)
	}
	for line := range strings.Lines(strings.ReplaceAll(stdout, one, "DIR")) {
		if len(line) > 81 {
			t.Errorf("a line of %d columns: %s", len(line)-1, line)
		}
	}

	kube(t, one, "create", "deployment", "web", "--image=web", "--replicas=2")
	eventually(t, "the controllers make Pods", func() bool {
		return kube(t, one, "get", "deployment", "web", "-o", "jsonpath={.status.replicas}") == "2"
	})
	if found := kube(t, other, "get", "deployments", "-o", "name"); found != "" {
		t.Errorf("the other one has %q", found)
	}
	eventually(t, "the garbage collector takes the Pods away", func() bool {
		kube(t, one, "delete", "deployment", "web", "--ignore-not-found", "--wait=false")
		return kube(t, one, "get", "pods", "-o", "name") == ""
	})

	if stdout, stderr, code := command(t, "down", "--dir", one); code != exitOK || stdout != "localkube is down\n" {
		t.Errorf("down: exit %d, %q %q", code, stdout, stderr)
	}
	if left := u.left(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if left := v.left(); len(left) == 0 {
		t.Error("the other one went with it")
	}
	if stdout, _, code := command(t, "down", "--dir", one); code != exitOK || stdout != "localkube is not up\n" {
		t.Errorf("down again: exit %d, %q", code, stdout)
	}
	if _, stderr, code := command(t, "kubectl", "--dir", one, "get", "nodes"); code != exitFailed || !strings.Contains(stderr, "localkube up --dir "+one) {
		t.Errorf("kubectl of one that is down: exit %d, %q, want how to start it", code, stderr)
	}
	if _, stderr, code := command(t, "status", "--dir", one); code != exitFailed || !strings.Contains(stderr, "localkube up --dir "+one) {
		t.Errorf("status of one that is down: exit %d, %q, want how to start it", code, stderr)
	}
}

// kube runs kubectl and gives what it prints.
func kube(t *testing.T, dir string, args ...string) string {
	t.Helper()
	stdout, stderr, code := command(t, append([]string{"kubectl", "--dir", dir}, args...)...)
	if code != exitOK {
		t.Fatalf("kubectl %v: exit %d, %s", args, code, stderr)
	}
	return stdout
}

func TestWhoMayDoWhat(t *testing.T) {
	p := up(t, filepath.Join(t.TempDir(), "kube"))
	if info, err := os.Stat(p.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v, want a directory that is the user's alone", info.Mode(), err)
	}
	token := strings.TrimSpace(kube(t, p.Dir, "create", "token", "default"))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, test := range []struct {
		path, token string
		want        int
	}{
		{"/readyz", "", http.StatusOK},
		{"/api/v1/pods", "", http.StatusForbidden},
		{"/api/v1/pods", "made-up", http.StatusUnauthorized},
		{"/apis/apps/v1", token, http.StatusOK},
		{"/api/v1/pods", token, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Server+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.token != "" {
			request.Header.Set("Authorization", "Bearer "+test.token)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != test.want {
			t.Errorf("GET %s with token %.8q: %s, want %d", test.path, test.token, answer.Status, test.want)
		}
	}
	if allowed := kube(t, p.Dir, "auth", "can-i", "*", "*"); allowed != "yes\n" {
		t.Errorf("the user may do everything: %q", allowed)
	}
}

func TestWayOfTheControllersAndTimesOfTheAutoscaler(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	way, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer way.Close()
	var connections atomic.Int64
	go func() {
		for {
			from, err := way.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go relay(t.Context(), from, dir)
		}
	}()
	p := up(t, dir, "--api-via", way.Addr().String(), "--nodes=2", "--sync-period=2s", "--downscale-stabilization=7s", "--tolerance=0.05")
	if n := connections.Load(); n == 0 {
		t.Error("nobody came by the way to the API server")
	}
	if names := kube(t, dir, "get", "nodes", "-o", "name"); names != "node/localkube-1\nnode/localkube-2\n" {
		t.Errorf("the nodes are %q", names)
	}
	if config := read(t, p.Kubeconfig); strings.Contains(config, way.Addr().String()) || !strings.Contains(config, p.Server) {
		t.Errorf("the user's kubeconfig is %s, want the address of the API server itself", config)
	}
	state, err := controlplane.ReadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	line := read(t, filepath.Join("/proc", itoa(component(t, state, components.ControllerManager)), "cmdline"))
	for _, want := range []string{"sync-period=2s", "downscale-stabilization=7s", "cpu-initialization-period=3s", "initial-readiness-delay=1s", "tolerance=0.05"} {
		if !strings.Contains(line, "--horizontal-pod-autoscaler-"+want+"\x00") {
			t.Errorf("no %s in the flags of the controllers", want)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// relay joins a connection to the API server of the control plane in dir.
func relay(ctx context.Context, from net.Conn, dir string) {
	defer from.Close()
	state, err := controlplane.ReadState(dir)
	if err != nil {
		return
	}
	to, err := new(net.Dialer).DialContext(ctx, "tcp4", strings.TrimPrefix(state.Server, "https://"))
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, from) // until one of them closes
		to.Close()
	}()
	_, _ = io.Copy(from, to) // as above
}

func TestUpSaysWhatStandsInItsWay(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, "precious")
	for _, test := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--api-port", port}, "take port " + port + " for the API server: ", exitFailed},
		{[]string{"--dir", full}, full + " is not empty", exitFailed},
		{[]string{"--dir", file}, file + " is no directory", exitFailed},
		{[]string{"--dir", filepath.Join(full, "no", "such")}, "no such file or directory", exitFailed},
		{[]string{"--until-stdin-closes"}, "needs --foreground", exitUsage},
		{[]string{"--sync-period", "soon"}, "sync-period", exitUsage},
		{[]string{"--sync-period", "0s"}, "sync period 0s: want at least 100ms", exitUsage},
		{[]string{"--tolerance", "1.5"}, "tolerance 1.5: want a ratio from 0 to 1", exitUsage},
		{[]string{"--api-via", "10.0.0.1:80"}, "way \"10.0.0.1:80\" to the API server: want 127.0.0.1 and a port", exitUsage},
		{[]string{"--api-port", "70000"}, "port 70000", exitUsage},
		{[]string{"--metrics-port", port}, "take port " + port + " for the metrics APIs: ", exitFailed},
		{[]string{"--metrics-port", "-1"}, "port -1", exitUsage},
		{[]string{"--metrics-via", "there"}, "to the metrics APIs: want 127.0.0.1", exitUsage},
		{[]string{"--metrics-resolution", "1ms"}, "want at least 100ms", exitUsage},
		{[]string{"--nodes", "0"}, "0 nodes: want 1 to 10", exitUsage},
		{[]string{"--image", "web"}, "want NAME=JSON", exitUsage},
		{[]string{"--image", `web:1=["web"]`}, "want the name without registry and tag", exitUsage},
		{[]string{"--image", "web=run web"}, "want a JSON array of strings", exitUsage},
		{[]string{"--image", "web=[]"}, "names no program", exitUsage},
		{[]string{"now"}, "up takes no argument", exitUsage},
	} {
		dir := filepath.Join(t.TempDir(), "kube")
		stdout, stderr, code := command(t, append([]string{"up", "--dir", dir}, test.args...)...)
		if code != test.code || !strings.Contains(stderr, test.want) || strings.Count(stderr, "localkube:") != 1 {
			t.Errorf("up %v: exit %d, %q %q; want %d and %q", test.args, code, stdout, stderr, test.code, test.want)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Errorf("up %v: it left its directory", test.args)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}
}

func TestNoneInAPodOfAnother(t *testing.T) {
	name, value, _ := strings.Cut(guard.NewMark(), "=")
	t.Setenv(name, value)
	dir := filepath.Join(t.TempDir(), "kube")
	if _, stderr, code := command(t, "up", "--dir", dir); code != exitFailed || !strings.Contains(stderr, "of a Pod of another localkube") {
		t.Errorf("exit %d, %q, want that it is refused", code, stderr)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("it left its directory")
	}
}

func TestDirOfKubectl(t *testing.T) {
	standard := controlplane.DefaultDir()
	for _, test := range []struct{ args, dir, rest string }{
		{"", standard, ""},
		{"get pods", standard, "get pods"},
		{"--dir /d get pods", "/d", "get pods"},
		{"--dir=/d get pods", "/d", "get pods"},
		{"get --dir /d", standard, "get --dir /d"},
	} {
		dir, rest, err := dirFirst(strings.Fields(test.args))
		if err != nil || dir != test.dir || strings.Join(rest, " ") != test.rest {
			t.Errorf("%q: %q %q %v", test.args, dir, rest, err)
		}
	}
	if _, _, err := dirFirst([]string{"--dir"}); err == nil {
		t.Error("--dir without a directory is no error")
	}
}

func TestUsageOfAProcess(t *testing.T) {
	before, memory, err := consumed(os.Getpid())
	if err != nil || memory < 1<<20 {
		t.Fatalf("%d bytes, %v", memory, err)
	}
	eventually(t, "CPU time goes on", func() bool {
		for range 1 << 20 {
			_ = syscall.Getpid() // takes some
		}
		after, _, err := consumed(os.Getpid())
		return err == nil && after > before
	})
	if line := usage(1 << 30); !strings.Contains(line, "gone") {
		t.Errorf("of no process: %q", line)
	}
}
