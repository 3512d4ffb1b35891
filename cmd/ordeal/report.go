package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ordeal/reports"
)

func reportCommand() *cobra.Command {
	var formats []string
	var output string
	var of reports.Selection
	cmd := &cobra.Command{
		Use:   "report DIR...",
		Short: "Render the reports of run directories again",
		Long: `Render the reports of run directories again. Without --format, every report that
belongs into a directory is written there. With --format, that one goes to
standard output or, for one directory, to the file named with --output.

Formats: ` + strings.Join(reports.Formats(), ", ") + `

--load and --phase choose what csv, prometheus, benchfmt, vegeta and hgrm speak
of, and --load what hlog does: without them, of all loads, and of all phases but
warmup.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer boundMemory()()
			if output != "" && (len(formats) != 1 || len(args) != 1) {
				return fmt.Errorf("--output needs exactly one --format and one directory")
			}
			if len(formats) == 0 && len(of.Loads)+len(of.Phases) > 0 {
				return fmt.Errorf("--load and --phase need a --format")
			}
			var render []reports.Renderer
			for _, name := range formats {
				format, err := reports.ByName(name)
				if err != nil {
					return err
				}
				r, err := format.Of(of)
				if err != nil {
					return err
				}
				render = append(render, r)
			}
			for _, dir := range args {
				if err := reportOne(cmd.OutOrStdout(), dir, render, output); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&formats, "format", nil, "print this format instead of writing the files")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this file instead of standard output")
	cmd.Flags().StringSliceVar(&of.Loads, "load", nil, "speak of this load only (may be repeated)")
	cmd.Flags().StringSliceVar(&of.Phases, "phase", nil, "speak of this phase only (may be repeated)")
	return cmd
}

func reportOne(w io.Writer, dir string, render []reports.Renderer, output string) error {
	j, err := judge(dir)
	if err != nil {
		return err
	}
	switch {
	case output != "":
		err = j.printTo(output, render[0])
	case len(render) > 0:
		for _, r := range render {
			if err == nil {
				err = j.print(w, r)
			}
		}
	default:
		if err = j.writeFiles(); err == nil {
			_, err = fmt.Fprintln(w, dir)
		}
	}
	var choice *reports.SelectionError
	if err == nil || errors.As(err, &choice) {
		return err // what cannot be chosen is an error of usage
	}
	return exitError{code: exitFail, err: err}
}
