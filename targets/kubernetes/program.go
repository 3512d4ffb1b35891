package kubernetes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	programName = "localkube"
	// programVariable is the environment variable that names the program.
	programVariable = "ORDEAL_LOCALKUBE"
)

// FindLocal finds the program that is the control plane on this machine: the one
// that $ORDEAL_LOCALKUBE names, else localkube beside this program, in bin or on
// the PATH. The error says how to build it.
func FindLocal() (string, error) {
	if name := os.Getenv(programVariable); name != "" {
		if err := isProgram(name); err != nil {
			return "", fmt.Errorf("$%s names no program: %w", programVariable, err)
		}
		return filepath.Abs(name)
	}
	places := []string{filepath.Join("bin", programName)}
	if self, err := os.Executable(); err == nil {
		places = append([]string{filepath.Join(filepath.Dir(self), programName)}, places...)
	}
	for _, name := range places {
		if isProgram(name) == nil {
			return filepath.Abs(name)
		}
	}
	if name, err := exec.LookPath(programName); err == nil {
		return filepath.Abs(name)
	}
	return "", fmt.Errorf("a control plane on this machine needs the program %s, and it is neither at %s nor on the PATH: build it with: make localkube",
		programName, strings.Join(places, " nor at "))
}

// isProgram reports what keeps a file from being run.
func isProgram(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", name)
	case err != nil:
		return err
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s cannot be run", name)
	}
	return nil
}
