package users

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	userv1 "ordeal/targets/api/user/v1"
)

// program is this test's binary run as the service.
type program struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr lockedBuffer
	addr   string
	client userv1.UserServiceClient
}

var readyLine = regexp.MustCompile(`^ready service=users addr=(127\.0\.0\.1:\d+) admin=(127\.0\.0\.1:\d+|none)\n$`)

func run(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(os.Args[0], append([]string{"--addr=127.0.0.1:0", "--admin=127.0.0.1:0"}, args...)...)}
	p.cmd.Env = append(os.Environ(), asProgram+"=1", "USERS_SEED_USERS=3", "USERS_DRAIN_DELAY=0s")
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	line, err := p.stdout.ReadString('\n')
	match := readyLine.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("the first line is %q (%v), stderr %s", line, err, &p.stderr)
	}
	p.addr = match[1]
	p.client = userv1.NewUserServiceClient(dial(t, p.addr))
	return p
}

// end waits for the program and wants its exit code, and that stdout had the ready line alone.
func (p *program) end(t *testing.T, want int) {
	t.Helper()
	kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	rest, err := io.ReadAll(p.stdout)
	if err != nil || len(rest) > 0 {
		t.Errorf("after the ready line came %q (%v)", rest, err)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit code is %d, want %d; stderr %s", got, want, &p.stderr)
	}
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestProgramStopsGracefullyOnASignal(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := run(t, "--instance=i7")
		ctx := testContext(t)
		_, err := p.client.GetUser(ctx, &userv1.GetUserRequest{UserId: "4"}) // the environment says 3
		wantCode(t, err, codes.NotFound)
		held := holdCall(ctx, t, p.client)
		p.signal(t, s)
		eventually(t, "it drains", func() bool { return strings.Contains(p.stderr.String(), `"msg":"draining"`) })
		held.ask(t)
		held.finish(t)
		p.end(t, exitOK)
		for _, want := range []string{`"service":"users"`, `"instance":"i7"`, `"msg":"drained"`, `"msg":"stopped"`} {
			if !strings.Contains(p.stderr.String(), want) {
				t.Errorf("%v: the log does not have %s: %s", s, want, &p.stderr)
			}
		}
	}
}

func TestProgramStopsAtOnceOnASecondSignal(t *testing.T) {
	p := run(t, "--drain-delay=1m")
	p.signal(t, syscall.SIGTERM)
	eventually(t, "it drains", func() bool { return strings.Contains(p.stderr.String(), `"msg":"draining"`) })
	p.signal(t, syscall.SIGINT)
	p.end(t, exitStopped)
}

func TestMainEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, []string{"--addr=127.0.0.1:0", "--admin=", "--drain-delay=0s"}, out, io.Discard)
	}()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, " admin=none\n") {
		t.Errorf("the ready line is %q (%v)", line, err)
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code is %d, want 0", got)
	}
}

func TestMainFailsWhenNobodyReadsItsReadyLine(t *testing.T) {
	in, out := io.Pipe()
	_ = in.Close()
	var stderr bytes.Buffer
	if got := Main(context.Background(), []string{"--addr=127.0.0.1:0", "--admin="}, out, &stderr); got != exitFailed {
		t.Errorf("exit code is %d, want %d: %s", got, exitFailed, &stderr)
	}
}

func TestMainRefusesWrongUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--nonsense"}, exitUsage, "nonsense"},
		{[]string{"--seed-users=-1"}, exitUsage, "must be at least 0"},
		{[]string{"--drain-timeout=5"}, exitUsage, "drain-timeout"},
		{[]string{"--work=GetUsr=cpu:1ms"}, exitUsage, "GetUsr"},
		{[]string{"--log-level=loud"}, exitUsage, "log-level"},
		{[]string{"extra"}, exitUsage, "extra"},
		{[]string{"--help"}, exitOK, "-seed-users"},
		{[]string{"--addr=127.0.0.1:99999"}, exitFailed, "gRPC port"},
	} {
		var stdout, stderr bytes.Buffer
		if got := Main(context.Background(), tc.args, &stdout, &stderr); got != tc.code {
			t.Errorf("%v: exit code is %d, want %d", tc.args, got, tc.code)
		}
		if strings.Count(stderr.String(), tc.want) == 0 || stdout.Len() > 0 {
			t.Errorf("%v: stderr %q, stdout %q; want %q in the first", tc.args, &stderr, &stdout, tc.want)
		}
	}
}

func TestFlagsGoOverTheEnvironment(t *testing.T) {
	env := map[string]string{"USERS_SEED_USERS": "5", "USERS_MAX_CONNECTION_AGE": "3s", "USERS_WORK": "*=sleep:1ms"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := configure([]string{"--seed-users=7"}, lookup, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.SeedUsers != 7 || cfg.MaxConnectionAge != 3*time.Second || cfg.Work["*"].Sleep != time.Millisecond {
		t.Errorf("read %+v", cfg)
	}
	env["USERS_SEED_USERS"] = "many"
	if _, err := configure(nil, lookup, io.Discard); err == nil || !strings.Contains(err.Error(), `USERS_SEED_USERS="many"`) {
		t.Errorf("error is %v, want the variable and its value in it", err)
	}
}

func TestEveryFlagTakesItsDefault(t *testing.T) {
	var cfg Config
	flags := NewFlagSet(&cfg)
	flags.VisitAll(func(f *flag.Flag) {
		if f.Usage == "" {
			t.Errorf("--%s has no description", f.Name)
		}
		if err := flags.Set(f.Name, f.DefValue); err != nil {
			t.Errorf("--%s refuses its default: %v", f.Name, err)
		}
	})
}
