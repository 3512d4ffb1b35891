package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ordeal/reports"
)

func reportCommand() *cobra.Command {
	var formats []string
	var output string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Render the reports of a run directory again",
		Long: `Render the reports of a run directory again. Without --format, every report that
belongs into the directory is written there. With --format, that one goes to
standard output or to the file named with --output.

Formats: ` + strings.Join(reports.Formats(), ", "),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "" && len(formats) != 1 {
				return fmt.Errorf("--output needs exactly one --format")
			}
			for _, format := range formats {
				if _, _, ok := reports.ByName(format); !ok {
					return fmt.Errorf("unknown format %q: want %s", format, strings.Join(reports.Formats(), ", "))
				}
			}
			j, err := judge(args[0])
			if err != nil {
				return err
			}
			if len(formats) == 0 {
				if err := j.writeFiles(); err != nil {
					return exitError{code: exitFail, err: err}
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), args[0])
				return err
			}
			if err := j.print(cmd.OutOrStdout(), formats, output); err != nil {
				return exitError{code: exitFail, err: err}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&formats, "format", nil, "print this format instead of writing the files")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this file instead of standard output")
	return cmd
}

func (j judged) print(w io.Writer, formats []string, output string) error {
	if output != "" {
		f, err := os.Create(output)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		defer f.Close() //nolint:errcheck // closed with its error below
		render, _, _ := reports.ByName(formats[0])
		if err := render(f, j.run, j.judgement); err != nil {
			return err
		}
		return f.Close()
	}
	for _, format := range formats {
		render, _, _ := reports.ByName(format)
		if err := render(w, j.run, j.judgement); err != nil {
			return err
		}
	}
	return nil
}
