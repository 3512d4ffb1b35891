//go:build unix

package gateway

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// program is Main, running.
type program struct {
	url, admin string
	stdout     chan string // what came after the ready line, once stdout is closed
	stderr     *lines
	cancel     context.CancelFunc
	exit       chan int
}

var readyLine = regexp.MustCompile(`^ready service=gateway addr=(127\.0\.0\.1:[1-9]\d*) admin=(127\.0\.0\.1:[1-9]\d*)\n$`)

// launch runs Main on free ports until it is ready.
func launch(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	p := &program{stdout: make(chan string, 1), stderr: &lines{}, cancel: cancel, exit: make(chan int, 1)}
	go func() {
		code := Main(ctx, append([]string{"--addr=:0", "--admin=127.0.0.1:0", "--drain-delay=0s", "--call-deadline=30s", "--request-timeout=30s"}, args...), w, p.stderr)
		_ = w.Close()
		p.exit <- code
	}()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	found := readyLine.FindStringSubmatch(line)
	if err != nil || found == nil {
		t.Fatalf("first line %q, error %v, stderr:\n%s", line, err, p.stderr)
	}
	p.url, p.admin = "http://"+found[1], "http://"+found[2]
	go func() {
		rest, _ := io.ReadAll(out)
		p.stdout <- string(rest)
	}()
	t.Cleanup(cancel)
	return p
}

func (p *program) wait(t *testing.T) int {
	t.Helper()
	select {
	case code := <-p.exit:
		if rest := <-p.stdout; rest != "" {
			t.Errorf("stdout has more than the ready line: %q", rest)
		}
		return code
	case <-time.After(20 * time.Second):
		t.Fatal("does not stop")
		return 0
	}
}

func TestMainServesAndStops(t *testing.T) {
	for name, stop := range map[string]func(*program) error{
		"context": func(p *program) error { p.cancel(); return nil },
		"SIGTERM": func(*program) error { return syscall.Kill(syscall.Getpid(), syscall.SIGTERM) },
		"SIGINT":  func(*program) error { return syscall.Kill(syscall.Getpid(), syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			p := launch(t, "--users="+users.addr, "--instance=here")
			in := &instance{t: t, url: p.url, admin: p.admin}
			if a := in.get("/api/v1/users/42"); a.StatusCode != 200 || a.Header.Get("X-Served-By") != "here" {
				t.Errorf("%d, X-Served-By %q, %s", a.StatusCode, a.Header.Get("X-Served-By"), a.raw)
			}
			if code, _ := in.ask("/readyz"); code != 200 {
				t.Errorf("/readyz answers %d after the ready line", code)
			}
			http.DefaultClient.CloseIdleConnections()
			if err := stop(p); err != nil {
				t.Fatal(err)
			}
			if code := p.wait(t); code != 0 {
				t.Errorf("exit status %d, stderr:\n%s", code, p.stderr)
			}
		})
	}
}

func TestMainSecondSignalStopsAtOnce(t *testing.T) {
	p := launch(t, "--drain-delay=1h")
	kill := func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	kill()
	eventually(t, "draining", func() bool { return len(p.stderr.with(t, "draining")) == 1 })
	select {
	case code := <-p.exit:
		t.Fatalf("the first signal ended it at once, status %d", code)
	default:
	}
	kill()
	eventually(t, "the end", func() bool { return len(p.exit) == 1 })
	if code := p.wait(t); code != 130 || !strings.Contains(p.stderr.String(), "at once") {
		t.Errorf("exit status %d, stderr:\n%s", code, p.stderr)
	}
}

func TestMainKeyFromTheEnvironment(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	for key, want := range map[string]int{testKey: 200, "": 401} {
		t.Setenv("JWT_KEY", key)
		p := launch(t, "--users="+users.addr)
		in := &instance{t: t, url: p.url}
		if a := in.write("PUT", "/api/v1/users/42", `{"name":"a"}`); a.StatusCode != want {
			t.Errorf("JWT_KEY %q: %d %s, want %d", key, a.StatusCode, a.raw, want)
		}
		if warned := strings.Contains(p.stderr.String(), "JWT_KEY is not set"); warned != (key == "") {
			t.Errorf("JWT_KEY %q: warned: %v", key, warned)
		}
		http.DefaultClient.CloseIdleConnections()
		p.cancel()
		p.wait(t)
		if key != "" && strings.Contains(p.stderr.String(), key) {
			t.Error("the key is in the log")
		}
	}
}

// The log is quiet or not, as told; the environment tells too.
func TestMainLogSwitches(t *testing.T) {
	defer gin.SetMode(gin.ReleaseMode)
	users := startUsers(t, "127.0.0.1:0")
	for _, c := range []struct {
		name          string
		args          []string
		access, debug bool
	}{
		{"default", nil, true, false},
		{"access log off", []string{"--access-log=off"}, false, false},
		{"release mode off", []string{"--release-mode=off"}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := launch(t, append(c.args, "--users="+users.addr)...)
			(&instance{t: t, url: p.url}).get("/api/v1/users/42")
			http.DefaultClient.CloseIdleConnections()
			p.cancel()
			p.wait(t)
			text := p.stderr.String()
			if got := strings.Contains(text, `"msg":"request"`); got != c.access {
				t.Errorf("access log: %v, want %v", got, c.access)
			}
			if got := strings.Contains(text, `"msg":"upstream call"`); got != c.debug {
				t.Errorf("debug log: %v, want %v", got, c.debug)
			}
			if got := strings.Contains(text, "[GIN-debug]"); got != c.debug {
				t.Errorf("Gin's debug output: %v, want %v", got, c.debug)
			}
		})
	}
}

func TestMainEnvironment(t *testing.T) {
	t.Setenv("GATEWAY_INSTANCE", "from-environment")
	t.Setenv("GATEWAY_RATE_LIMIT", "0.001/s")
	t.Setenv("GATEWAY_RATE_BURST", "1")
	p := launch(t, "--rate-limit=off")
	in := &instance{t: t, url: p.url}
	for range 3 {
		if a := in.get("/api/v1/users/42"); a.StatusCode != 200 || a.Header.Get("X-Served-By") != "from-environment" {
			t.Errorf("%d from %q: want the environment's name, and the command line's limit", a.StatusCode, a.Header.Get("X-Served-By"))
		}
	}
	http.DefaultClient.CloseIdleConnections()
	p.cancel()
	p.wait(t)
}

func TestMainUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  string
		says string
	}{
		{args: []string{"--breaker=perhaps"}, says: `"on" or "off"`},
		{args: []string{"--braker=on"}, says: "braker"},
		{args: []string{"--breaker", "off"}, says: `"off"`},
		{args: []string{"--addr=8080"}, says: "host:port"},
		{args: []string{"--addr=:http"}, says: "port from 0"},
		{args: []string{"--users="}, says: "host:port"},
		{args: []string{"--users=127.0.0.1:0"}, says: "port from 1"},
		{args: []string{"--users=:9090"}, says: "no host"},
		{args: []string{"--users=a:1,a:1"}, says: "twice"},
		{args: []string{"--instance=a b"}, says: "visible"},
		{args: []string{"--version=a b"}, says: "visible"},
		{args: []string{"--warm-up=11m"}, says: "0s to 10m"},
		{args: []string{"--warm-up=-1s"}, says: "0s to 10m"},
		{args: []string{"--work=disk:1ms"}, says: "cpu or sleep"},
		{env: "soon", says: "GATEWAY_BREAKER_OPEN"},
	} {
		t.Run(strings.Join(c.args, " ")+c.env, func(t *testing.T) {
			if c.env != "" {
				t.Setenv("GATEWAY_BREAKER_OPEN", c.env)
			}
			var stdout, stderr bytes.Buffer
			if code := Main(context.Background(), c.args, &stdout, &stderr); code != 2 {
				t.Errorf("exit status %d, want 2", code)
			}
			if !strings.Contains(stderr.String(), c.says) || strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("stderr %q, stdout %q: want one line with %q on stderr", &stderr, &stdout, c.says)
			}
		})
	}
	var stdout, stderr bytes.Buffer
	if code := Main(context.Background(), []string{"-h"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-breaker-open") {
		t.Errorf("-h: exit status %d, stdout %q", code, &stdout)
	}
}

// Every flag has a usage text, and its default passes its own check.
func TestFlagsExplainThemselves(t *testing.T) {
	var cfg Config
	fs := NewFlagSet(&cfg)
	fs.VisitAll(func(f *flag.Flag) {
		if f.Usage == "" {
			t.Errorf("--%s has no usage text", f.Name)
		}
		if err := f.Value.Set(f.DefValue); err != nil {
			t.Errorf("--%s refuses its default %q: %v", f.Name, f.DefValue, err)
		}
	})
}
