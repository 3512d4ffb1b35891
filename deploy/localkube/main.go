// Command localkube is a Kubernetes control plane on the loopback addresses of one machine, without containers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it could not be done, or localkube is not up
	exitUsage  = 2 // of the command: nothing was started
)

// errUsage is an error of whoever has typed the command.
var errUsage = errors.New("usage")

// run is the whole command with its world as arguments; it returns the exit code. A component and kubectl have the
// process, and its standard streams, to themselves.
func run(stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if len(args) > 0 {
		switch verb := args[0]; {
		case slices.Contains(components.Names(), verb):
			stop() // it has signal handlers of its own, and allows nobody else any
			return components.Run(context.Background(), verb, args[1:])
		case verb == guard.Verb:
			return told(stderr, guard.Watch(stdin))
		case verb == "kubectl":
			stop()
			return kubectl(stderr, args[1:])
		}
	}
	root := &cobra.Command{
		Use:   "localkube",
		Short: "A Kubernetes control plane on the loopback addresses of one machine",
		Long: `Localkube is etcd, the API server, the controller manager and the scheduler of
Kubernetes on the loopback addresses of this machine, without containers. It keeps
everything in one directory, and leaves nothing behind.

Exit codes: 0 done, 1 not done or not up, 2 usage.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(upCommand(), downCommand(), statusCommand(), kubectlCommand())
	return told(stderr, root.ExecuteContext(ctx))
}

// told prints an error, and gives its exit code.
func told(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "localkube:", err) //nolint:errcheck // nowhere left to tell
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

// dirFlag adds the flag of the directory.
func dirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", controlplane.DefaultDir(), "the directory of the control plane")
}

// noArgs is of a verb that has flags alone.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %s takes no argument, and got %q", errUsage, c.Name(), args[0])
	}
	return nil
}
