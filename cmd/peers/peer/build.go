package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Build builds the named peers, all where there are none named, one after the
// other, and tells w of each. One that is current costs a second; k6 costs
// minutes the first time. One that fails does not keep the others from being
// built; the errors are returned together.
func Build(ctx context.Context, w io.Writer, names ...string) error {
	if len(names) == 0 {
		names = Names()
	}
	root, err := Root()
	if err != nil {
		return fmt.Errorf("build the peers: %w", err)
	}
	var errs []error
	for _, name := range names {
		p, err := lookUp(name)
		if err != nil {
			return err
		}
		if err := p.build(ctx, w, root); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p peer) build(ctx context.Context, w io.Writer, root string) error {
	if p.module == "" {
		switch path, version, err := installed(ctx, p.name); {
		case errors.Is(err, ErrMissing):
			return tell(w, "%-7s left out: %v\n", p.name, err) // the others can do without
		case err != nil:
			return err
		default:
			return tell(w, "%-7s %s, installed at %s\n", p.name, version, path)
		}
	}
	want, err := pinned(root, p)
	if err != nil {
		return err
	}
	if err := tell(w, "%-7s %s, building ...\n", p.name, want); err != nil {
		return err
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary(root, p.name), p.main)
	cmd.Dir = moduleDir(root, p.name)
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir, "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s %s: %w: %s", p.name, want, err, strings.TrimSpace(string(out)))
	}
	return tell(w, "%-7s is %s (%v)\n", p.name, binary(root, p.name), time.Since(began).Round(time.Second/10))
}

func tell(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		return fmt.Errorf("say how building goes: %w", err)
	}
	return nil
}
