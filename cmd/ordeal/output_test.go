package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ordeal/reports"
)

func says(text string) reports.Renderer {
	return func(w io.Writer, _ *reports.Document) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

var errChoice = errors.New("no such load")

func cannot(io.Writer, *reports.Document) error { return errChoice }

// content is what a path leads to, "" where it leads nowhere.
func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func TestReportKeepsALinkAndWritesWhereItLeads(t *testing.T) {
	for name, before := range map[string]string{"to a file": "a longer report from before", "to nothing yet": ""} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
			if before != "" {
				if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("file", link); err != nil {
				t.Fatal(err)
			}
			if err := (judged{}).printTo(link, cannot); !errors.Is(err, errChoice) {
				t.Errorf("a report that cannot be made: %v", err)
			}
			if got := content(t, file); got != before {
				t.Errorf("it left %q, want %q", got, before)
			}
			if err := (judged{}).printTo(link, says("new")); err != nil {
				t.Fatal(err)
			}
			if to, err := os.Readlink(link); err != nil || to != "file" {
				t.Errorf("the link leads to %q, %v", to, err)
			}
			if got := content(t, file); got != "new" {
				t.Errorf("the file has %q", got)
			}
		})
	}
}

func TestReportKeepsTheModeOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	for _, c := range []struct {
		before string
		mode   fs.FileMode
	}{{"", 0o644}, {"old", 0o600}, {"older", 0o664}} {
		if c.before != "" {
			if err := errors.Join(os.WriteFile(file, []byte(c.before), 0o644), os.Chmod(file, c.mode)); err != nil {
				t.Fatal(err)
			}
		}
		if err := (judged{}).printTo(file, says("new")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != c.mode || content(t, file) != "new" {
			t.Errorf("mode %v and %q, want %v", info.Mode(), content(t, file), c.mode)
		}
	}
	if err := (judged{}).printTo(file, cannot); !errors.Is(err, errChoice) || content(t, file) != "new" {
		t.Errorf("a report that cannot be made: %v; it left %q", err, content(t, file))
	}
}
