package kubernetes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// standIn writes a program that takes the place of localkube: the script is run
// with the directory of the control plane in $dir.
func standIn(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), programName)
	text := "#!/bin/sh\ndir=$5\nready() { echo '{\"ready\":true,\"kubeconfig\":\"here\",\"pid\":1}'; }\n" + script + "\n"
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

const untilEOF = "cat >/dev/null"

func TestAControlPlaneIsStartedAndEnds(t *testing.T) {
	logs := t.TempDir()
	program := standIn(t, `echo "$@" >"$dir/logs.txt"; mkdir "$dir/logs" "$dir/pods"; echo of etcd >"$dir/logs/etcd.log"
		echo words >&2; ready; `+untilEOF+`; rm -r "$dir"`)
	p, err := startPlane(patience(t), program, []string{"--sync-period=1s"}, logs, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if p.kubeconfig != "here" {
		t.Errorf("the kubeconfig is %q", p.kubeconfig)
	}
	args, err := os.ReadFile(filepath.Join(p.dir, "logs.txt"))
	if want := "up --foreground --until-stdin-closes --dir " + p.dir + " --sync-period=1s"; err != nil || strings.TrimSpace(string(args)) != want {
		t.Errorf("called with %s, %v; want %s", args, err, want)
	}
	if err := p.close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", p.dir, err)
	}
	for name, want := range map[string]string{"logs/etcd.log": "of etcd", "localkube.log": "words"} {
		if text, err := os.ReadFile(filepath.Join(logs, name)); err != nil || strings.TrimSpace(string(text)) != want {
			t.Errorf("%s has %q, %v", name, text, err)
		}
	}
}

func TestAControlPlaneThatDoesNotStartSaysWhy(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for script, want := range map[string]string{
		"echo no room >&2; exit 1": "ended before it was ready:\nno room",
		"echo hello; " + untilEOF:  `says "hello", not that it is ready`,
	} {
		_, err := startPlane(patience(t), standIn(t, script), nil, t.TempDir(), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
	if _, err := startPlane(patience(t), filepath.Join(t.TempDir(), "none"), nil, t.TempDir(), nil); err == nil {
		t.Error("a program that is not there is started")
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "ordeal-kubernetes-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestAStartThatIsCutShortEndsTheControlPlane(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("interrupted")
	program := standIn(t, `echo started >"$0.started"; `+untilEOF)
	go func() {
		for !exists(program + ".started") {
			time.Sleep(time.Millisecond)
		}
		cancel(why)
	}()
	if _, err := startPlane(ctx, program, nil, t.TempDir(), nil); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func TestAControlPlaneThatEndsByItselfIsTold(t *testing.T) {
	lost := make(chan error, 1)
	p, err := startPlane(patience(t), standIn(t, "ready; exit 3"), nil, t.TempDir(), func(err error) { lost <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !strings.Contains(err.Error(), "in the middle of the run: exit status 3") {
		t.Errorf("told %v", err)
	}
	if err := p.close(context.Background()); err != nil {
		t.Errorf("told twice: %v", err)
	}
}

func TestTheArgumentsOfAControlPlane(t *testing.T) {
	half := 0.5
	dir := t.TempDir()
	cfg := Config{
		Spec: &Spec{Local: &Local{SyncPeriod: 2 * time.Second, MetricsResolution: time.Second, Tolerance: &half,
			Images: map[string][]string{"shop/cart": {"./cart", "-x"}, "tool": {"tool"}}}},
		Images: map[string][]string{"ordeal/gateway": {"/bin/ordeal", "target", "gateway"}}, BaseDir: dir,
		Via: func(_ context.Context, link, upstream string) (string, error) {
			if link == MetricsLink {
				return "127.0.0.1:7", nil
			}
			return "", nil
		},
	}
	args, err := cfg.localArgs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "--metrics-port=") })
	if i < 0 {
		t.Fatalf("no port in %q", args)
	}
	args[i] = "--metrics-port"
	want := []string{"--sync-period=2s", "--metrics-resolution=1s", "--tolerance=0.5",
		"--image", `ordeal/gateway=["/bin/ordeal","target","gateway"]`, "--image", `shop/cart=["` + dir + `/cart","-x"]`, "--image", `tool=["tool"]`,
		"--metrics-port", "--metrics-via=127.0.0.1:7"}
	if !slices.Equal(args, want) {
		t.Errorf("got  %q\nwant %q", args, want)
	}
	if len(cfg.Images) != 1 {
		t.Error("the images of the run were changed")
	}
}

func TestFindingTheProgram(t *testing.T) {
	program := standIn(t, "")
	t.Setenv(programVariable, program)
	if got, err := FindLocal(); err != nil || got != program {
		t.Errorf("got %s, %v", got, err)
	}
	t.Setenv(programVariable, program+"x")
	if _, err := FindLocal(); err == nil || !strings.Contains(err.Error(), "$ORDEAL_LOCALKUBE names no program: there is no file") {
		t.Errorf("got %v", err)
	}
	t.Setenv(programVariable, "")
	t.Setenv("PATH", filepath.Dir(program))
	if got, err := FindLocal(); err != nil || got != program {
		t.Errorf("on the PATH: got %s, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := FindLocal(); err == nil || !strings.Contains(err.Error(), "make localkube") {
		t.Errorf("got %v", err)
	}
}
