package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writeMeta replaces run.json in one step; w.mu is held, or w not yet shared.
func (w *Writer) writeMeta() error {
	text, err := json.MarshalIndent(&w.meta, "", "  ")
	if err != nil {
		return fmt.Errorf("writing run.json: %w", err)
	}
	path := filepath.Join(w.dir, runFile)
	err = replaceFile(w.disk.open, path, append(text, '\n'))
	if err != nil {
		return fmt.Errorf("writing run.json: %w", err)
	}
	return nil
}

// replaceFile puts a file in place of another in one step.
func replaceFile(open openFile, path string, text []byte) error {
	f, err := open(path + partial)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if s, ok := f.(interface{ Sync() error }); ok && err == nil {
		err = s.Sync() // else a power failure may leave the new name on an empty file
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+partial, path)
	}
	if err != nil {
		_ = os.Remove(path + partial)
	}
	return err
}
