package controlplane

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirectoryIsOneControlPlanesAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	if up, err := IsUp(dir); up || err != nil {
		t.Errorf("before: %v %v", up, err)
	}
	if err := Clean(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("clean before: %v", err)
	}
	lock, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v, want a directory that is the user's alone", info, err)
	}
	if err := (State{PID: os.Getpid(), Mark: "NONE=none"}).write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); !errors.Is(err, ErrUp) {
		t.Errorf("claim again: %v, want that it is up", err)
	}
	if err := Clean(dir); !errors.Is(err, ErrUp) {
		t.Errorf("clean: %v, want that it is up", err)
	}
	if up, err := IsUp(dir); !up || err != nil {
		t.Errorf("meanwhile: %v %v", up, err)
	}
	lock.Close() // as at the end of the process
	again, err := claim(dir)
	if err != nil {
		t.Fatalf("claim what is left: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left of the last one: %v %v", entries, err)
	}
	again.Close()
	if err := Clean(dir); err != nil {
		t.Errorf("clean: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after: %v", err)
	}
}

func TestDirectoriesThatAreNotTaken(t *testing.T) {
	root := t.TempDir()
	full, file, link, open := filepath.Join(root, "full"), filepath.Join(root, "file"), filepath.Join(root, "link"), filepath.Join(root, "open")
	precious := filepath.Join(full, "precious")
	for _, err := range []error{os.Mkdir(full, 0o700), os.WriteFile(precious, nil, 0o600), os.WriteFile(file, nil, 0o600), os.Symlink(full, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{
		full:                              "is not empty",
		file:                              "is no directory",
		link:                              "is no directory",
		filepath.Join(root, "no", "such"): "no such file",
	} {
		if _, err := claim(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", dir, err, want)
		}
	}
	if err := Clean(full); err == nil {
		t.Error("clean of what is not localkube's is no error")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := claim(open)
	if err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	defer lock.Close()
	if info, err := os.Stat(open); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v, want others kept out", info, err)
	}
}
