package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	code := m.Run()
	if code == 0 {
		http.DefaultClient.CloseIdleConnections()
		// net/http lingers for half a second where it has refused a header.
		if err := goleak.Find(goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait")); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

const testKey = "a key of at least thirty-two bytes"

// instance is a gateway that serves on ports of its own.
type instance struct {
	*Server
	t     testing.TB
	url   string
	admin string
	log   *lines
	stop  context.CancelFunc // graceful
	abort context.CancelFunc
	done  chan error // what Run returned, once
}

// start runs a gateway in front of users ("" for an address where nothing listens) with settings as flags.
func start(t testing.TB, users string, settings ...string) *instance {
	t.Helper()
	return startWith(t, users, nil, settings...)
}

// startWith also lets the test change the server before it serves.
func startWith(t testing.TB, users string, change func(*Server), settings ...string) *instance {
	t.Helper()
	if users == "" {
		users = "127.0.0.1:1"
	}
	var cfg Config
	fs := NewFlagSet(&cfg)
	fs.SetOutput(io.Discard)
	args := append([]string{
		"--addr=127.0.0.1:0", "--admin=127.0.0.1:0", "--instance=g1", "--drain-delay=0s", "--users=" + users,
		"--call-deadline=30s", "--request-timeout=30s", // so that a busy machine fails no test that is not about them
	}, settings...)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	cfg.JWTKey = []byte(testKey)
	in := &instance{t: t, log: &lines{}, done: make(chan error, 1)}
	var err error
	in.Server, err = New(cfg, slog.New(slog.NewJSONHandler(in.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(in.Server)
	}
	var ctx, abort context.Context
	ctx, in.stop = context.WithCancel(context.Background())
	abort, in.abort = context.WithCancel(context.Background())
	ready := make(chan struct{})
	go func() {
		in.done <- in.Run(ctx, abort, func(addr, admin string) {
			in.url, in.admin = "http://"+addr, "http://"+admin
			close(ready)
		})
	}()
	select {
	case <-ready:
	case err := <-in.done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		in.stop()
		in.abort()
		select {
		case err := <-in.done:
			if err != nil && !errors.Is(err, errAborted) {
				t.Errorf("stop: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the gateway does not stop")
		}
		if err := in.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return in
}

// answer is what came back, with its body in the one shape.
type answer struct {
	*http.Response
	raw     string
	Code    int
	Message string
	Data    json.RawMessage
}

// do sends a request and requires the one shape. header are names and values in turn.
func (in *instance) do(method, path, body string, header ...string) answer {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, in.url+path, strings.NewReader(body))
	if err != nil {
		in.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	return read(in.t, resp)
}

func (in *instance) get(path string, header ...string) answer {
	in.t.Helper()
	return in.do(http.MethodGet, path, "", header...)
}

// write sends a writing request with a valid token.
func (in *instance) write(method, path, body string) answer {
	in.t.Helper()
	return in.do(method, path, body, "Authorization", "Bearer "+token(in.t, time.Minute))
}

// ask reads from the admin port.
func (in *instance) ask(path string) (int, string) {
	in.t.Helper()
	resp, err := http.Get(in.admin + path)
	if err != nil {
		in.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		in.t.Fatal(err)
	}
	if err != nil {
		in.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metric returns the value of one series as /metrics prints it, 0 when it is not there.
func (in *instance) metric(series string) float64 {
	in.t.Helper()
	_, text := in.ask("/metrics")
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, series+" "); found {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				in.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: resp, raw: string(body)}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil {
		t.Fatalf("status %d: body %q is not a JSON object: %v", resp.StatusCode, body, err)
	}
	for _, key := range []string{"code", "message", "data"} {
		if keys[key] == nil {
			t.Errorf("status %d: body %s lacks %q", resp.StatusCode, body, key)
		}
	}
	if len(keys) != 3 {
		t.Errorf("status %d: body %s has other keys than code, message and data", resp.StatusCode, body)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("status %d: content type %q", resp.StatusCode, got)
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// token is valid for so long from now; negative: it has expired.
func token(t testing.TB, valid time.Duration) string {
	t.Helper()
	claims := jwt.RegisteredClaims{Subject: "tester", ExpiresAt: jwt.NewNumericDate(time.Now().Add(valid))}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// with returns the records whose message is msg.
func (l *lines) with(t testing.TB, msg string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(l.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q is not JSON: %v", line, err)
		}
		if record["msg"] == msg {
			out = append(out, record)
		}
	}
	return out
}
