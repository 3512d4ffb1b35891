package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ordeal/runner"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := runner.Build()
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "ordeal %s %s %s/%s %s\n", b.Version, b.Commit, b.OS, b.Arch, b.Go)
			return err
		},
	}
}
