package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ordeal/scenarios"
)

func listCommand() *cobra.Command {
	var tag string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios that come with Ordeal",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := scenarios.Library()
			if err != nil {
				return exitError{code: exitFail, err: err}
			}
			for _, e := range entries {
				if tag != "" && !e.Tagged(tag) {
					continue
				}
				line := fmt.Sprintf("%-30s %s", e.Name, e.About)
				if len(e.Tags) > 0 {
					line += " [" + strings.Join(e.Tags, ", ") + "]"
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&tag, "tag", "", "only those with this tag")
	return cmd
}
