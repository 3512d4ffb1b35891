package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// background starts this program again with the same arguments, to stay without a terminal, waits until it is ready,
// and tells what to do with it.
func background(ctx context.Context, self string, args []string, dir string, stdout io.Writer) error {
	cmd := exec.Command(self, append(args, "--foreground")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said, err := unnamedFile()
	if err != nil {
		return err
	}
	defer said.Close() //nolint:errcheck // it has no name: nobody else reads it
	cmd.Stderr = said
	line, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("pipe from what stays: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start what stays: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })() // it ends, and with it its output
	var ready report
	if err := json.NewDecoder(line).Decode(&ready); err != nil {
		return ended(ctx, cmd, said)
	}
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("let go of what stays: %w", err)
	}
	_, err = fmt.Fprintf(stdout, `localkube is up: %s, ready in %.1fs

  localkube kubectl%s get nodes
  localkube status%[3]s
  localkube down%[3]s

For any other client of Kubernetes:

  export KUBECONFIG=%s
`, ready.Server, ready.Seconds, dirArg(dir), ready.Kubeconfig)
	return err
}

// ended says why what was to stay has not.
func ended(ctx context.Context, cmd *exec.Cmd, said *os.File) error {
	err := cmd.Wait()
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing is left")
	}
	text, readErr := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", said.Fd()))
	if why := strings.TrimPrefix(strings.TrimSpace(string(text)), "localkube: "); why != "" {
		return errors.New(why)
	}
	return errors.Join(fmt.Errorf("what was to stay has ended: %v", cmd.ProcessState), err, readErr)
}

// unnamedFile is for what a process says that may outlive its reader: a pipe would kill it then.
func unnamedFile() (*os.File, error) {
	f, err := os.CreateTemp("", "localkube-*")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("make a file for what goes wrong: %w", err)
	}
	return f, nil
}
