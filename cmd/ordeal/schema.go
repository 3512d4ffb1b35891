package main

import (
	"github.com/spf13/cobra"

	"ordeal/scenarios"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenarios, for an editor's completion",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := scenarios.Schema()
			if err != nil {
				return exitError{code: exitFail, err: err}
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
