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
		Use:   "report DIR...",
		Short: "Render the reports of run directories again",
		Long: `Render the reports of run directories again. Without --format, every report that
belongs into a directory is written there. With --format, that one goes to
standard output or, for one directory, to the file named with --output.

Formats: ` + strings.Join(reports.Formats(), ", "),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "" && (len(formats) != 1 || len(args) != 1) {
				return fmt.Errorf("--output needs exactly one --format and one directory")
			}
			for _, format := range formats {
				if _, _, ok := reports.ByName(format); !ok {
					return fmt.Errorf("unknown format %q: want %s", format, strings.Join(reports.Formats(), ", "))
				}
			}
			for _, dir := range args {
				if err := reportOne(cmd.OutOrStdout(), dir, formats, output); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&formats, "format", nil, "print this format instead of writing the files")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this file instead of standard output")
	return cmd
}

func reportOne(w io.Writer, dir string, formats []string, output string) error {
	j, err := judge(dir)
	if err != nil {
		return err
	}
	if len(formats) > 0 {
		err = j.print(w, formats, output)
	} else if err = j.writeFiles(); err == nil {
		_, err = fmt.Fprintln(w, dir)
	}
	if err != nil {
		return exitError{code: exitFail, err: err}
	}
	return nil
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
