package targets

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestReplicaThatFailsEndsTheWaitForTheOthers(t *testing.T) {
	l, _ := launch(t)
	spec := command("rivals", "rivals", filepath.Join(t.TempDir(), "first"))
	spec.Replicas, spec.Ready = 3, &Ready{Within: time.Minute}
	begun := time.Now()
	_, err := l.Start(context.Background(), spec, nil)
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v to see that one of the replicas is dead", took)
	}
	if err == nil || strings.Count(err.Error(), "start rivals/") != 1 || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("got %v, want the one replica that ended", err)
	}
}

func TestStartDoesNothingInAContextThatIsOver(t *testing.T) {
	l, rec := launch(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Start(ctx, command("late", "serve", "${addr}"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was canceled", err)
	}
	if _, ok := rec.find(evidence.TargetStart); ok {
		t.Error("it was started all the same")
	}
}

func TestErrorsNameTheProcessOnce(t *testing.T) {
	l, _ := launch(t)
	_, err := l.Start(context.Background(), command("frail", "fail"), nil)
	if err == nil || strings.Count(err.Error(), "frail") != 1 {
		t.Errorf("got %v, want one mention of frail", err)
	}
	target, p := start(t, l, "serve")
	if err := p.Start(context.Background()); err == nil || strings.Contains(err.Error(), "serve") {
		t.Errorf("got %v: who starts a process names it", err)
	}
	if err := target.stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(context.Background()); err == nil || strings.Contains(err.Error(), "serve") {
		t.Errorf("got %v: who kills a process names it", err)
	}
}
