package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ordeal/reports"
	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
	"ordeal/scenarios"
)

// judged is a run directory with what is said of it.
type judged struct {
	dir       string
	judgement verdict.Judgement
	document  *reports.Document
}

// judge reads a run directory and judges it by the scenario that it holds.
func judge(dir string) (judged, error) {
	run, err := evidence.Open(dir)
	if err != nil {
		return judged{}, err
	}
	text, err := run.Scenario()
	if err != nil {
		return judged{}, err
	}
	plan, err := scenarios.Parse(filepath.Join(dir, "scenario.yaml"), bytes.NewReader(text))
	if err != nil {
		return judged{}, fmt.Errorf("the scenario of the run is not one that this version reads:\n%w", err)
	}
	j := judged{dir: dir, judgement: verdict.Judge(run, plan.Checks())}
	j.document, err = reports.Build(run, j.judgement)
	return j, err
}

// files are the reports that a run directory holds, by format.
var files = []string{"html", "json", "junit", "markdown"}

// writeFiles renders every report that belongs into the run directory.
func (j judged) writeFiles() error {
	for _, name := range files {
		format, err := reports.ByName(name)
		if err != nil {
			return err
		}
		if err := j.writeFile(format); err != nil {
			return err
		}
	}
	return nil
}

func (j judged) writeFile(format reports.Format) error {
	render, err := format.Of(reports.Selection{})
	if err != nil {
		return err
	}
	return j.printTo(filepath.Join(j.dir, format.File), render)
}

// print writes a report.
func (j judged) print(w io.Writer, render reports.Renderer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if err := render(out, j.document); err != nil {
		return err
	}
	return out.Flush()
}

func (j judged) terminal(w io.Writer) error {
	return reports.Terminal(wantsColor(w))(w, j.document)
}

// wantsColor says whether w is a terminal whose user has not asked for plain text.
func wantsColor(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func judgeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "judge DIR...",
		Short: "Judge run directories again, from their evidence alone",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer boundMemory()()
			worst := verdict.Pass
			var unread []error
			for _, dir := range args {
				j, err := judge(dir)
				if err != nil {
					unread = append(unread, err)
					continue
				}
				if err := j.terminal(cmd.OutOrStdout()); err != nil {
					return exitError{code: exitFail, err: err}
				}
				worst = max(worst, j.judgement.Status)
			}
			if len(unread) > 0 {
				return errors.Join(unread...)
			}
			return statusError(worst)
		},
	}
}

// statusError is nil for a pass, else what makes the command exit as it should.
func statusError(s verdict.Status) error {
	if s == verdict.Pass {
		return nil
	}
	return exitError{code: statusExit(s)}
}
