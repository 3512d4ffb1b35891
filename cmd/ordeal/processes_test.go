package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// gone waits until no process is left whose environment or command line holds a
// word, as a run's processes hold the script's working directory: gone WORD, or
// gone WORD WITHIN for what may take other than 5s.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: gone WORD [WITHIN]")
	}
	within := 5 * time.Second
	if len(args) == 2 {
		var err error
		within, err = time.ParseDuration(args[1])
		ts.Check(err)
	}
	var left []string
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left = withWord(args[0]); len(left) == 0 {
			return
		}
	}
	ts.Fatalf("still there %v later: %s", within, strings.Join(left, "; "))
}

// withWord lists the command lines of the processes other than this one that
// hold the word.
func withWord(word string) []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(cmdline) == 0 {
			continue // it has ended, or is a zombie
		}
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if filepath.Base(dir) != "self" && bytes.Contains(environ, []byte(word)) {
			found = append(found, string(bytes.ReplaceAll(cmdline, []byte{0}, []byte(" "))))
		}
	}
	return found
}
