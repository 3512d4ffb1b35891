package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ordeal/runner"
	"ordeal/runner/verdict"
)

// Exit codes. They are part of the interface: CI files rely on them.
const (
	exitPass         = 0
	exitFail         = 1
	exitUsage        = 2 // of the command, or a scenario that is not right: nothing was started
	exitInconclusive = 3
	exitInterrupted  = 130
)

// exitError ends the command with a code; err, if any, is printed first.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

func statusExit(s verdict.Status) int {
	switch s {
	case verdict.Pass:
		return exitPass
	case verdict.Inconclusive:
		return exitInconclusive
	default:
		return exitFail
	}
}

// run is the whole command with its world as arguments; it returns the exit code.
func run(ctx context.Context, stdout, stderr io.Writer, args []string) int {
	root := &cobra.Command{
		Use:   "ordeal",
		Short: "Load and faults on one clock, judged from evidence",
		Long: `Ordeal runs a scenario: it starts your services or its own, puts load on them,
breaks things at known times, and judges from the evidence what held.

Exit codes: 0 pass, 1 fail, 2 usage or scenario error, 3 inconclusive, 130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       runner.Version(),
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), planCommand(), listCommand(), judgeCommand(), reportCommand(), schemaCommand(),
		targetCommand(), guardCommand(), versionCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitPass
	}
	var exit exitError
	if !errors.As(err, &exit) {
		exit = exitError{code: exitUsage, err: err}
	}
	if exit.err != nil {
		fmt.Fprintln(stderr, "ordeal:", exit.err) //nolint:errcheck // nowhere left to tell
	}
	return exit.code
}
