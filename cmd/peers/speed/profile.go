package speed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// command is how a tool was run: its command line, and the files that it read.
type command struct {
	tool  string
	line  string
	files map[string]string
}

// commands are those of a comparison, as they were run.
func (b *bench) commands(c comparison) []command {
	var list []command
	j := c.job
	j.addr, j.lasts = b.server.addr, b.window.lasts()
	for _, t := range c.tools {
		name := t.peer
		if name == selfBinary {
			name = "peers engine"
		}
		words := []string{name}
		for _, arg := range t.args(j) {
			if strings.ContainsAny(arg, `{" `) {
				arg = "'" + arg + "'"
			}
			words = append(words, arg)
		}
		cmd := command{tool: t.name, line: strings.Join(append(append([]string{}, t.env...), words...), " ")}
		if t.files != nil {
			cmd.files = t.files(j)
		}
		list = append(list, cmd)
	}
	return list
}

// profile runs Ordeal once more, with a CPU profile, and gives the functions
// that it spent its time in.
func (b *bench) profile(ctx context.Context, j job) (string, error) {
	file := filepath.Join(b.dir, "cpu.prof")
	if _, err := b.measure(ctx, ordeal("ordeal, profiled", "--profile="+file), j); err != nil {
		return "", fmt.Errorf("profile ordeal: %w", err)
	}
	defer os.Remove(file) //nolint:errcheck // below a directory that goes as a whole
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=25", b.binaries[ordealBinary], file).Output()
	if err != nil {
		return "", fmt.Errorf("read the profile of ordeal: %w", err)
	}
	_, table, found := strings.Cut(string(out), "Showing nodes")
	if _, rows, ok := strings.Cut(table, "\n"); found && ok {
		if i := strings.Index(rows, "      flat"); i >= 0 {
			return strings.TrimRight(rows[i:], "\n"), nil
		}
	}
	return "", fmt.Errorf("the profile of ordeal has no table: %.200s", out)
}
