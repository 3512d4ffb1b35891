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
// word, as a run's processes hold the script's working directory: gone WORD.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone WORD")
	}
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left = withWord(args[0]); len(left) == 0 {
			return
		}
	}
	ts.Fatalf("still there 5s later: %s", strings.Join(left, "; "))
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
