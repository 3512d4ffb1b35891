package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/controlplane"
)

// kubectlCommand is for the list of commands: main sees to the verb before any flag is looked at.
func kubectlCommand() *cobra.Command {
	return &cobra.Command{Use: "kubectl", Short: "be kubectl, for this control plane; --dir DIR comes first, if at all", Run: func(*cobra.Command, []string) {}}
}

// kubectl is kubectl for the control plane in the directory that the first argument may name.
func kubectl(stderr io.Writer, args []string) int {
	if slices.ContainsFunc(args, func(arg string) bool { return arg == "--kubeconfig" || strings.HasPrefix(arg, "--kubeconfig=") }) {
		return components.Kubectl(args) // of whatever control plane that is
	}
	dir, args, err := dirFirst(args)
	if err != nil {
		return told(stderr, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return told(stderr, fmt.Errorf("find the directory: %w", err))
	}
	state, err := controlplane.ReadState(dir)
	if err != nil {
		return told(stderr, fmt.Errorf("it is not up: there is nothing in %s; start it with: localkube up%s", dir, dirArg(dir)))
	}
	if err := os.Setenv("KUBECONFIG", state.Kubeconfig); err != nil {
		return told(stderr, fmt.Errorf("name the kubeconfig: %w", err))
	}
	return components.Kubectl(args)
}

// dirFirst takes --dir DIR away from the front of the arguments of kubectl, which does not know it.
func dirFirst(args []string) (string, []string, error) {
	if len(args) == 0 {
		return controlplane.DefaultDir(), args, nil
	}
	if dir, ok := strings.CutPrefix(args[0], "--dir="); ok {
		return dir, args[1:], nil
	}
	if args[0] != "--dir" {
		return controlplane.DefaultDir(), args, nil
	}
	if len(args) < 2 {
		return "", nil, fmt.Errorf("%w: --dir needs a directory", errUsage)
	}
	return args[1], args[2:], nil
}
