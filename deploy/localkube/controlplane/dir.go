package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"ordeal/deploy/localkube/cgroup"
	"ordeal/deploy/localkube/guard"
)

// DefaultDir is the directory of this user's control plane.
func DefaultDir() string {
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); runtime != "" {
		return filepath.Join(runtime, "localkube")
	}
	return filepath.Join(os.TempDir(), "localkube-"+strconv.Itoa(os.Getuid()))
}

// ErrUp says that a control plane has the directory already.
var ErrUp = errors.New("localkube is already up")

// claim makes the directory and locks it for as long as the file is open, here or in a process that has inherited it.
// What a control plane has left there that is gone is taken away; anything else is refused.
func claim(dir string) (*os.File, error) {
	for {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("make the directory: %w", err)
		}
		if err := private(dir); err != nil {
			return nil, err
		}
		lock, err := tryLock(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was taken away since; and so it is free
		}
		if err != nil {
			return nil, err
		}
		if err := clear(dir); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		return lock, nil
	}
}

// private makes sure that the directory is ours and nobody else can look into it.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the lock finds it out, too
	}
	if err != nil {
		return fmt.Errorf("look at the directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s belongs to the user with id %d", dir, stat.Uid)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("keep others out of the directory: %w", err)
		}
	}
	return nil
}

// tryLock locks the directory. It is ErrUp where another one holds it, and os.ErrNotExist where it is gone by then.
func tryLock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrUp
		}
		return nil, fmt.Errorf("lock the directory: %w", err)
	}
	held, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(dir); err == nil && !os.SameFile(held, there) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("look at the locked directory: %w", err)
	}
	return f, nil
}

// clear empties a locked directory of what is left of a control plane, and ends what is left of its processes.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list the directory: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	left, err := ReadState(dir)
	if err != nil {
		return fmt.Errorf("%s is not empty, and what it holds is not localkube's: choose another directory", dir)
	}
	guard.Sweep(left.Mark)
	if err := cgroup.Remove(left.Groups); err != nil {
		return fmt.Errorf("remove what is left of the last one: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove what is left of the last one: %w", err)
		}
	}
	return nil
}

// Clean takes away what is left in dir of a control plane that is gone. It is ErrUp if it is not gone, and
// os.ErrNotExist if there is nothing.
func Clean(dir string) error {
	lock, err := tryLock(dir)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // nothing was written
	if err := clear(dir); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("remove the directory: %w", err)
	}
	return nil
}

// IsUp reports whether the directory is a control plane's that is there, or about to be there or gone.
func IsUp(dir string) (bool, error) {
	lock, err := tryLock(dir)
	switch {
	case errors.Is(err, ErrUp):
		return true, nil
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	default:
		return false, lock.Close()
	}
}
