package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ordeal/targets"
	"ordeal/targets/gateway"
	"ordeal/targets/users"
)

func targetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   targets.TargetVerb + " gateway|users [flags]",
		Short: "Run a reference service on its own",
		Long: `Run a reference service as an ordinary program: it prints one ready line, logs
to standard error and ends on SIGTERM. "ordeal target users --help" lists its flags.`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "--help" || args[0] == "-h" {
				return cmd.Help()
			}
			var code int
			switch args[0] {
			case "gateway":
				code = gateway.Main(cmd.Context(), args[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
			case "users":
				code = users.Main(cmd.Context(), args[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
			default:
				return fmt.Errorf("unknown reference service %q: want gateway or users", args[0])
			}
			if code != 0 {
				return exitError{code: code}
			}
			return nil
		},
	}
}

func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    targets.GuardVerb,
		Short:  "End what a killed run left behind (started by run itself)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return targets.Guard(cmd.InOrStdin())
		},
	}
}
