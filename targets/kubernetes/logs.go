package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds on what is kept of the logs of a control plane and its Pods.
const (
	mostLog  = 1 << 20 // bytes of a log: its end is kept
	mostLogs = 200     // logs
)

// keepLogs copies the ends of the logs of the control plane's parts and of its
// Pods to where they outlive it.
func (p *plane) keepLogs() error {
	if p.logs == "" {
		return nil
	}
	kept := 0
	var errs []error
	for _, part := range []string{"logs", "pods"} {
		err := filepath.WalkDir(filepath.Join(p.dir, part), func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // gone with its Pod, or never there
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".log") {
				return err
			}
			if kept++; kept > mostLogs {
				return fs.SkipAll
			}
			return p.keepLog(name)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("keep the logs of the control plane: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (p *plane) keepLog(name string) error {
	text, err := tail(name, mostLog)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	under, err := filepath.Rel(p.dir, name)
	if err != nil {
		return err
	}
	to := filepath.Join(p.logs, under)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// tail reads at most the last n bytes of a file.
func tail(name string, n int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(max(0, info.Size()-n), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, n))
}
