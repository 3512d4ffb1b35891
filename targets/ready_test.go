package targets

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWaitReadyKeepsTheReasonWhenTimeIsOver(t *testing.T) {
	refused := errors.New("connection refused")
	probes := 0
	err := waitReady(context.Background(), 200*time.Millisecond, func(ctx context.Context) error {
		if probes++; probes < 3 {
			return refused
		}
		<-ctx.Done() // the last probe is cut short by the deadline
		return ctx.Err()
	}, nil)
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "not ready within") {
		t.Errorf("got %v, want the reason that the probes saw", err)
	}
}

func TestWaitReadySaysThatNothingAnswered(t *testing.T) {
	err := waitReady(context.Background(), 50*time.Millisecond, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline as the only reason there is", err)
	}
}

func TestWaitReadyThatIsCutShort(t *testing.T) {
	why := errors.New("changed our mind")
	ctx, cancel := context.WithCancelCause(context.Background())
	err := waitReady(ctx, time.Minute, func(context.Context) error {
		cancel(why)
		return errors.New("not yet")
	}, nil)
	if !errors.Is(err, why) || strings.Contains(err.Error(), "not ready within") {
		t.Errorf("got %v, want why the wait ended", err)
	}
}

func TestProbeFollowsNoRedirect(t *testing.T) {
	var touched atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched.Store(true) }))
	defer other.Close()
	target := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer target.Close()
	if err := probeHTTP(context.Background(), target.URL); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("got %v, want an error with the status", err)
	}
	if touched.Load() {
		t.Error("the probe went to a host that it was not sent to")
	}
	if err := probeHTTP(context.Background(), other.URL); err != nil {
		t.Errorf("a 200 is ready: %v", err)
	}
}
