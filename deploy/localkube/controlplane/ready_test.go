package controlplane

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestUntilSaysWhatItHasWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := until(t.Context(), "the third look", func(context.Context) error {
			if looks++; looks < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil || looks != 3 {
			t.Errorf("%d looks, %v", looks, err)
		}
		reason, refused := errors.New("too late"), errors.New("refused")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, reason)
		defer cancel()
		err = until(ctx, "the door", func(context.Context) error { return refused })
		if !errors.Is(err, reason) || !errors.Is(err, refused) || !strings.HasPrefix(err.Error(), "wait for the door: ") {
			t.Errorf("got %v, want what was waited for, why it ended, and what was found last", err)
		}
	})
}

func TestNodeThatTakesPods(t *testing.T) {
	ready := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
	for _, test := range []struct {
		name string
		node corev1.Node
		want bool
	}{
		{"ready", corev1.Node{Status: ready}, true},
		{"new", corev1.Node{}, false},
		{"ready and not yet untainted", corev1.Node{Status: ready, Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: corev1.TaintNodeNotReady}}}}, false},
	} {
		if got := IsReady(test.node); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestDeathTellsTheLastErrorsOfTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	text := "I1129 03:04:42.732077 1 server.go:150] Version\nE1129 03:04:42.8 1 server.go:1] bad flag\nW1129 03:04:42.793394 1 logging.go:55] retry\nno such file\n"
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("false")
	_ = cmd.Run() // it fails: that is its end
	got := (&child{name: "scheduler", cmd: cmd, log: log}).death().Error()
	want := "scheduler has ended (exit status 1). The last it said:\n  E1129 03:04:42.8 1 server.go:1] bad flag\n  no such file"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
