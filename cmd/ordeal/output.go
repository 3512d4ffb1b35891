package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ordeal/reports"
)

// printTo writes a report to a file, whole or not at all: a file that was there
// stays as it is where the report cannot be made, and keeps its mode. What is no
// ordinary file, such as a pipe or a symbolic link, stays what it is: what it
// leads to is written to.
func (j judged) printTo(path string, render reports.Renderer) error {
	mode := fs.FileMode(0o644)
	switch info, err := os.Lstat(path); {
	case err != nil: // to be made, or CreateTemp tells why not
	case !info.Mode().IsRegular():
		return j.printThrough(path, render)
	default:
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone when it was renamed
	err = j.print(f, render)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// printThrough writes a report to what a path leads to.
func (j judged) printThrough(path string, render reports.Renderer) error {
	w := &through{path: path}
	err := errors.Join(j.print(w, render), w.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// through writes to what a path leads to. It opens that with the first bytes, so
// that a report that cannot be begun leaves a file behind a link as it is.
type through struct {
	path string
	file *os.File
	ours bool // to be closed
}

func (t *through) Write(p []byte) (int, error) {
	if t.file == nil {
		if err := t.open(); err != nil {
			return 0, err
		}
	}
	return t.file.Write(p)
}

// open takes standard output as it is: opened again by a name such as
// /dev/stdout, a file that output is appended to would be overwritten.
func (t *through) open() (err error) {
	to, err := os.Stat(t.path)
	if err == nil {
		if out, err := os.Stdout.Stat(); err == nil && os.SameFile(to, out) {
			t.file = os.Stdout
			return nil
		}
	}
	flags := os.O_WRONLY | os.O_TRUNC
	if errors.Is(err, fs.ErrNotExist) {
		flags |= os.O_CREATE // a link to what is not there yet
	}
	t.file, err = os.OpenFile(t.path, flags, 0o644)
	t.ours = err == nil
	return err
}

// Close ends what was opened; standard output is not ours to close.
func (t *through) Close() error {
	if !t.ours {
		return nil
	}
	return t.file.Close()
}
