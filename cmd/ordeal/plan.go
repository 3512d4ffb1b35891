package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ordeal/scenarios"
)

// source is a scenario that was asked for, parsed.
type source struct {
	plan *scenarios.Plan
	dir  string // what files that it names are relative to
}

// find parses a scenario given as a file or by the name of a shipped one. A
// name that has a slash or a dot is a file.
func find(arg string) (source, error) {
	if !strings.ContainsAny(arg, "./\\") {
		text, err := scenarios.Lookup(arg)
		if err == nil {
			plan, err := scenarios.Parse(arg+".yaml", bytes.NewReader(text))
			return source{plan: plan, dir: "."}, err
		}
		if _, statErr := os.Stat(arg); errors.Is(statErr, fs.ErrNotExist) {
			return source{}, err
		}
	}
	f, err := os.Open(arg)
	if err != nil {
		return source{}, fmt.Errorf("open scenario: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	plan, err := scenarios.Parse(arg, f)
	return source{plan: plan, dir: filepath.Dir(arg)}, err
}

// findAll parses every scenario before anything is started, and collects what
// is wrong with all of them.
func findAll(args []string) ([]source, error) {
	var sources []source
	var errs []error
	for _, arg := range args {
		s, err := find(arg)
		if err == nil {
			err = s.plan.Prepare(s.dir)
		}
		sources = append(sources, s)
		errs = append(errs, err)
	}
	return sources, errors.Join(errs...)
}

func planCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plan NAME|FILE...",
		Short: "Show what a scenario would do, and start nothing",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sources, err := findAll(args)
			if err != nil {
				return err
			}
			for i, s := range sources {
				if i > 0 {
					if _, err := fmt.Fprintln(cmd.OutOrStdout()); err != nil {
						return err
					}
				}
				if err := s.plan.Describe(cmd.OutOrStdout(), 80); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
