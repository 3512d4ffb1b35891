package target

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// body is what every whole answer carries; a cut one ends in the middle of it.
var body = []byte(strings.Repeat("0123456789abcdef", 64))

// stamped is a connection that notes when the last bytes of an answer are
// handed to the kernel.
type stamped struct {
	net.Conn
	log  *Log
	call atomic.Pointer[answer]
}

// answer is the call that a connection is busy with.
type answer struct {
	*entry
	outcome Outcome
}

// Write stamps just before the bytes go: whoever reads them does so later.
func (s *stamped) Write(b []byte) (int, error) {
	if a := s.call.Load(); a != nil {
		a.end(s.log.clock.Now(), a.outcome)
	}
	return s.Conn.Write(b)
}

type stampedListener struct {
	net.Listener
	log *Log
}

func (l stampedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stamped{Conn: c, log: l.log}, nil
}

type connKey struct{}

// httpTarget answers GET /call and GET /call/NUMBER. With count it only counts.
type httpTarget struct {
	log   *Log
	count bool
	done  chan struct{} // closed at the end: lets go of those who get no answer
}

func (h *httpTarget) serve(lis net.Listener) (stop func() error) {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: time.Minute,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(stampedListener{lis, h.log}) }()
	return func() error {
		close(h.done)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close() // what is left has no reader any more
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
}

func (h *httpTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.count {
		h.log.nCalls.Add(1)
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusNoContent)
		return
	}
	at := h.log.clock.Now()
	n, ok := number(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	e, t := h.log.arrive(n, at)
	conn, _ := r.Context().Value(connKey{}).(*stamped)
	conn.call.Store(nil)
	if !h.wait(at, t) {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	switch t.Outcome {
	case Cut:
		h.cut(w, e, conn)
	default:
		conn.call.Store(&answer{e, t.Outcome})
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if t.Outcome == Failed {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(body) // whoever asked may be gone: the stamp says when it was handed over
	}
}

// number reads the call's number from the path.
func number(path string) (uint64, bool) {
	if path == "/call" {
		return unnumbered, true
	}
	text, found := strings.CutPrefix(path, "/call/")
	if !found {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}

// wait holds the call as the program says; false where it gets no answer. The
// delay runs from the arrival.
func (h *httpTarget) wait(at time.Duration, t Treatment) bool {
	if t.Outcome == Silent {
		<-h.done
		return false
	}
	return hold(h.log.clock, at+t.Delay, h.done)
}

// hold waits until a moment; false where done came first.
func hold(clock Clock, until time.Duration, done <-chan struct{}) bool {
	left := until - clock.Now()
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// cut sends half of the answer and resets the connection.
func (h *httpTarget) cut(w http.ResponseWriter, e *entry, conn *stamped) {
	raw, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n")
	_, _ = out.Write(body[:len(body)/2])
	_ = out.Flush()
	if tcp, ok := conn.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the close is a reset then
	}
	e.end(h.log.clock.Now(), Cut)
	_ = raw.Close()
}
