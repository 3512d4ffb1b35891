package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ordeal": func() { os.Exit(run(context.Background(), os.Stdout, os.Stderr, os.Args[1:])) },
		"answer": func() { os.Exit(answer(os.Args[1])) },
	})
}

func TestCommand(t *testing.T) { scripts(t, "testdata/script") }

// What takes the machine from everything else runs by itself.
func TestCommandOnABusyMachine(t *testing.T) { scripts(t, "testdata/busy") }

func scripts(t *testing.T, dir string, env ...string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		Setup:               func(e *testscript.Env) error { e.Vars = append(e.Vars, env...); return nil },
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfor": waitFor,
			"gone":    gone,
		},
	})
}

// waitFor waits until a file whose name matches a glob has text that matches:
// waitfor GLOB REGEXP.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor GLOB REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		names, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && want.Match(text) {
				return
			}
		}
	}
	ts.Fatalf("waited in vain for %q in %s", args[1], args[0])
}
