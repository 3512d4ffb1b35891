// Package peer knows the load generators that Ordeal is compared with: where
// their binaries are, which version each is, and how it is built.
//
// What is written in Go is built from pinned modules of its own below
// .ci/tools/peers into bin/peers, so that nothing of it is in Ordeal's go.mod.
// wrk is taken from the machine, where it is installed.
package peer

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrMissing is the error of a peer that is not built or not installed: a
// comparison goes on without it and says so.
var ErrMissing = errors.New("not there")

// peer is one load generator.
type peer struct {
	name   string
	module string // that holds it and has its version; "" for one of the machine
	main   string // its package
}

var peers = []peer{
	{"vegeta", "github.com/tsenart/vegeta/v12", "github.com/tsenart/vegeta/v12"},
	{"ghz", "github.com/bojand/ghz", "github.com/bojand/ghz/cmd/ghz"},
	{"fortio", "fortio.org/fortio", "fortio.org/fortio"},
	{"k6", "go.k6.io/k6", "go.k6.io/k6"},
	{name: "wrk"},
}

// Names lists the peers, the quickest to build first.
func Names() []string {
	names := make([]string, len(peers))
	for i, p := range peers {
		names[i] = p.name
	}
	return names
}

func lookUp(name string) (peer, error) {
	i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
	if i < 0 {
		return peer{}, fmt.Errorf("no peer is named %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return peers[i], nil
}

// Find returns where the binary of a peer is and its version, read from the
// binary itself. The error wraps ErrMissing where there is none, and says what
// to do; a binary of another version than the pinned one is an error, too.
func Find(ctx context.Context, name string) (path, version string, err error) {
	p, err := lookUp(name)
	if err != nil {
		return "", "", err
	}
	if p.module == "" {
		return installed(ctx, p.name)
	}
	root, err := Root()
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", name, err)
	}
	path = binary(root, name)
	info, err := buildinfo.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", "", fmt.Errorf("%s is %w: make peers builds it into %s", name, ErrMissing, path)
	}
	if err != nil {
		return "", "", fmt.Errorf("read the version of %s: %w", path, err)
	}
	want, err := pinned(root, p)
	if err != nil {
		return "", "", err
	}
	if info.Main.Path != p.module || info.Main.Version != want {
		return "", "", fmt.Errorf("%s is %s %s, and pinned is %s %s: run make peers", path, info.Main.Path, info.Main.Version, p.module, want)
	}
	return path, want, nil
}

// installed finds a peer of the machine, and its version in the first line that
// it says of itself.
func installed(ctx context.Context, name string) (path, version string, err error) {
	path, err = exec.LookPath(name)
	if err != nil {
		return "", "", fmt.Errorf("%s is %w: install it (Debian: apt install %s)", name, ErrMissing, name)
	}
	// wrk -v ends with 1, whatever it says.
	out, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	if version, ok := firstVersion(name, string(out)); ok {
		return path, version, nil
	}
	return "", "", fmt.Errorf("ask %s for its version: %q, %w", path, out, errors.Join(err, errors.New("want the name and a version")))
}

// firstVersion is what follows the name in text, as in "wrk debian/4.1.0-3 [epoll]".
func firstVersion(name, text string) (string, bool) {
	words := strings.Fields(text)
	if len(words) < 2 || words[0] != name {
		return "", false
	}
	return words[1], true
}

// pinned is the version of the peer that its own go.mod has.
func pinned(root string, p peer) (string, error) {
	file := filepath.Join(moduleDir(root, p.name), "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read what version of %s is pinned: %w", p.name, err)
	}
	found := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(p.module) + ` (v\S+)`).FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s pins no version of %s", file, p.module)
	}
	return string(found[1]), nil
}

// Root is the root of Ordeal's source, looked for from the working directory
// upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("look for the root of the source: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module ordeal\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod of module ordeal in this directory or above it: run this inside Ordeal's source")
		}
		dir = up
	}
}

func moduleDir(root, name string) string { return filepath.Join(root, ".ci", "tools", "peers", name) }

func binary(root, name string) string { return filepath.Join(root, "bin", "peers", name) }
