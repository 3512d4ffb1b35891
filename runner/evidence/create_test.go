package evidence

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCreateRefusesADirectoryThatHoldsARun(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	if _, err := Create(dir, testMeta(), nil); err == nil {
		t.Error("a run was written over")
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(dir, runFile, "below"), testMeta(), nil); err == nil {
		t.Error("a run was made below a file")
	}
	if os.Getuid() != 0 { // root may write anywhere
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(filepath.Join(dir, "sub"), testMeta(), nil); err == nil {
			t.Error("a run was made in a read-only directory")
		}
	}
}
