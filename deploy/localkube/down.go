package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

// downWithin is for Pods to end as they like; downEvery is between two looks whether they have.
const (
	downWithin = time.Minute
	downEvery  = 20 * time.Millisecond
)

func downCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "down",
		Short: "end the control plane, and remove everything of it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := filepath.Abs(dir)
			if err != nil {
				return fmt.Errorf("find the directory: %w", err)
			}
			return down(cmd.Context(), path, cmd.OutOrStdout())
		},
	}
	dirFlag(c, &dir)
	return c
}

// down ends the control plane in dir, or what is left of one whose supervisor is gone.
func down(ctx context.Context, dir string, stdout io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, downWithin, fmt.Errorf("still there after %v", downWithin))
	defer cancel()
	asked := 0 // the process that was asked to end
	for {
		err := controlplane.Clean(dir)
		gone := errors.Is(err, os.ErrNotExist)
		switch {
		case gone && asked == 0:
			_, err := fmt.Fprintln(stdout, "localkube is not up")
			return err
		case (err == nil || gone) && (asked == 0 || guard.Dead(asked)):
			_, err := fmt.Fprintln(stdout, "localkube is down")
			return err
		case err != nil && !gone && !errors.Is(err, controlplane.ErrUp):
			return err
		case err != nil && !gone && asked == 0:
			if asked, err = ask(dir); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("end localkube: %w", context.Cause(ctx))
		case <-time.After(downEvery):
		}
	}
}

// ask asks the supervisor to end, and gives its process id. One that has only just begun cannot be asked yet, and one
// that goes already need not be: 0.
func ask(dir string) (int, error) {
	state, err := controlplane.ReadState(dir)
	if err != nil {
		return 0, nil
	}
	if err := syscall.Kill(state.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return 0, fmt.Errorf("ask localkube (pid %d) to end: %w", state.PID, err)
	}
	return state.PID, nil
}
