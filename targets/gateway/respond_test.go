package gateway

import (
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func answerInto(w http.ResponseWriter, r *responder, data any) {
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	r.ok(c, http.StatusOK, data)
}

// Answers do not mix, whichever buffers they share.
func TestPooledAnswersDoNotMix(t *testing.T) {
	for _, pooled := range []bool{true, false} {
		r := newResponder(pooled, quiet())
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 200 {
					text := strings.Repeat(string(rune('a'+i)), 1+n*i)
					w := httptest.NewRecorder()
					answerInto(w, r, text)
					if want := `{"code":0,"message":"ok","data":"` + text + `"}` + "\n"; w.Body.String() != want {
						t.Errorf("pooled %v: got %.60q, want %.60q", pooled, w.Body, want)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// What cannot be encoded leaves nothing of itself behind.
func TestAnswerThatCannotBeEncoded(t *testing.T) {
	r := newResponder(true, quiet())
	for range 3 {
		w := httptest.NewRecorder()
		answerInto(w, r, []any{"begun", math.NaN()})
		if w.Code != 500 || w.Body.String() != `{"code":50000,"message":"internal error","data":null}` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = httptest.NewRecorder()
		answerInto(w, r, "good")
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"good"`) {
			t.Errorf("afterwards: %d %s", w.Code, w.Body)
		}
	}
}

// A buffer goes back, unless one answer made it huge; off, none does.
func TestPoolKeepsWhatIsWorthKeeping(t *testing.T) {
	made := 0
	r := newResponder(true, quiet())
	r.pool.New = func() any { made++; return newResponseBuffer() }
	big := newResponseBuffer()
	big.WriteString(strings.Repeat("x", keepBufferUpTo+1))
	r.put(big)
	if b := r.get(); b == big {
		t.Error("a huge buffer was kept")
	}
	off := newResponder(false, quiet())
	first := off.get()
	off.put(first)
	if second := off.get(); first == second {
		t.Error("a responder without a pool reuses buffers")
	}
	// The race detector makes sync.Pool forget at random, so of many answers some may make a buffer, not all.
	made = 0
	for range 1000 {
		answerInto(httptest.NewRecorder(), r, "text")
	}
	if made > 900 {
		t.Errorf("1000 answers made %d buffers", made)
	}
}

// discard is a ResponseWriter that costs nothing itself.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}

// BenchmarkAnswer is the response path alone, with the pool and without.
func BenchmarkAnswer(b *testing.B) {
	for name, pooled := range map[string]bool{"pool=on": true, "pool=off": false} {
		b.Run(name, func(b *testing.B) {
			r, w := newResponder(pooled, quiet()), discard{http.Header{}}
			c, _ := gin.CreateTestContext(w)
			user := &userView{ID: "42", Name: "Ada", Age: 36}
			b.ReportAllocs()
			for b.Loop() {
				r.ok(c, http.StatusOK, user)
			}
		})
	}
}

// BenchmarkGetUser is the whole way: handlers, gRPC and back.
func BenchmarkGetUser(b *testing.B) {
	users := startUsers(b, "127.0.0.1:0")
	for _, setting := range []string{"--pool=on", "--pool=off", "--access-log=off", "--breaker=off", "--reuse=off"} {
		b.Run(setting[2:], func(b *testing.B) {
			in := start(b, users.addr, "--rate-limit=off", setting)
			request := httptest.NewRequest(http.MethodGet, "/api/v1/users/42", nil)
			b.ReportAllocs()
			for b.Loop() {
				in.Handler().ServeHTTP(discard{http.Header{}}, request)
			}
		})
	}
}
