package peer

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source makes an empty source tree the working directory, with a pin of vegeta.
func source(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module ordeal\n")
	write(t, filepath.Join(moduleDir(root, "vegeta"), "go.mod"),
		"module x\n\nrequire (\n\texample.com/y v1.0.0\n\tgithub.com/tsenart/vegeta/v12 v12.99.0 // indirect\n)\n")
	below := filepath.Join(root, "cmd", "peers")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	return root
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestMissingPeerSaysHowToGetIt(t *testing.T) {
	source(t)
	_, _, err := Find(t.Context(), "vegeta")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "make peers") {
		t.Errorf("a peer that is not built: %v, want ErrMissing and how to build it", err)
	}
	t.Setenv("PATH", t.TempDir())
	_, _, err = Find(t.Context(), "wrk")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "apt install") {
		t.Errorf("a peer that is not installed: %v, want ErrMissing and how to install it", err)
	}
	var told strings.Builder
	if err := Build(t.Context(), &told, "wrk"); err != nil || !strings.Contains(told.String(), "left out") {
		t.Errorf("building a peer that only the machine can have: %v and %q, want it left out", err, told.String())
	}
}

func TestPeerOfAnotherVersionIsNotUsed(t *testing.T) {
	root := source(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	write(t, binary(root, "vegeta"), string(text))
	_, _, err = Find(t.Context(), "vegeta")
	if err == nil || errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "v12.99.0") {
		t.Errorf("a binary of another program: %v, want an error with the pinned version", err)
	}
	write(t, binary(root, "vegeta"), "#!/bin/sh\n")
	if _, _, err = Find(t.Context(), "vegeta"); err == nil || errors.Is(err, ErrMissing) {
		t.Errorf("a file that is no Go binary: %v, want an error other than ErrMissing", err)
	}
}

func TestInstalledPeerTellsItsVersion(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	write(t, filepath.Join(dir, "wrk"), "#!/bin/sh\necho 'wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer'\nexit 1\n")
	path, version, err := Find(t.Context(), "wrk")
	if err != nil || version != "debian/4.1.0-3+b2" || path != filepath.Join(dir, "wrk") {
		t.Errorf("wrk: %q %q %v", path, version, err)
	}
	write(t, filepath.Join(dir, "wrk"), "#!/bin/sh\necho no\nexit 1\n")
	if _, _, err := Find(t.Context(), "wrk"); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("a wrk that tells no version: %v", err)
	}
}

func TestUnknownPeerAndFailedBuildAreErrors(t *testing.T) {
	if _, _, err := Find(t.Context(), "hey"); err == nil || !strings.Contains(err.Error(), "vegeta") {
		t.Errorf("an unknown peer: %v, want those that are known", err)
	}
	source(t) // whose module lacks nearly everything
	err := Build(t.Context(), io.Discard, "vegeta", "ghz")
	if err == nil || !strings.Contains(err.Error(), "vegeta") || !strings.Contains(err.Error(), "ghz") {
		t.Errorf("two builds that fail: %v, want both named", err)
	}
}

// TestPinsOfThisSource holds the pins that documents name against the modules.
func TestPinsOfThisSource(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(Names(), []string{"vegeta", "ghz", "fortio", "k6", "wrk"}) {
		t.Errorf("the peers are %v", Names())
	}
	for _, p := range peers[:4] {
		if v, err := pinned(root, p); err != nil || !strings.HasPrefix(v, "v") {
			t.Errorf("%s: %q, %v", p.name, v, err)
		}
		if _, err := os.Stat(filepath.Join(moduleDir(root, p.name), "go.sum")); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}
