package speed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// command is how a tool was run: its command line, and the files that it read.
type command struct {
	tool  string
	line  string
	files map[string]string
}

// anyAddr stands for the server's address, which is another one each time.
const anyAddr = "ADDR"

// commands are those of a comparison, as they are run.
func commands(c comparison, w window, done map[string]rounds) []command {
	var list []command
	for _, t := range c.tools {
		j := c.job.of(t, done)
		j.addr, j.lasts, j.warm = anyAddr, w.lasts(), w.warm
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
// that it spent its time in: by their own time, and, those outside of Go's own
// library, with all that they call.
func (b *bench) profile(ctx context.Context, j job) (string, error) {
	file := filepath.Join(b.dir, "cpu.prof")
	if _, err := b.measure(ctx, ordeal("ordeal, profiled", "--profile="+file), j); err != nil {
		return "", fmt.Errorf("profile ordeal: %w", err)
	}
	defer os.Remove(file) //nolint:errcheck // below a directory that goes as a whole
	own, err := b.top(ctx, file, "-nodecount=15")
	if err != nil {
		return "", err
	}
	all, err := b.top(ctx, file, "-cum", "-nodecount=30", `-show=^(ordeal/|[a-z0-9]+(\.[a-z0-9]+)+/)`)
	if err != nil {
		return "", err
	}
	return own + "\n\n" + all, nil
}

// typeArguments are those of a generic function, which fill lines and say little.
var typeArguments = regexp.MustCompile(`\[go\.shape\..*\]`)

// top is pprof's table of functions.
func (b *bench) top(ctx context.Context, file string, how ...string) (string, error) {
	args := append(append([]string{"tool", "pprof", "-top"}, how...), b.binaries[ordealBinary], file)
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("read the profile of ordeal: %w", err)
	}
	i := strings.Index(string(out), "      flat")
	if i < 0 {
		return "", fmt.Errorf("the profile of ordeal has no table: %.200s", out)
	}
	return typeArguments.ReplaceAllString(strings.TrimRight(string(out)[i:], "\n"), "[…]"), nil
}
