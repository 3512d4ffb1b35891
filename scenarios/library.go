package scenarios

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The shipped scenarios; those in negative/ must fail, and show thereby that
// the checks they are made of can.
//
//go:embed *.yaml negative/*.yaml
var shipped embed.FS

// Entry is one shipped scenario.
type Entry struct {
	Name     string
	About    string
	Tags     []string
	Negative bool   // it must end in fail
	File     string // within the library
	Source   []byte
}

// Tagged reports whether the scenario has a tag.
func (e Entry) Tagged(tag string) bool { return slices.Contains(e.Tags, tag) }

// Library lists the shipped scenarios by name, the negative ones last.
func Library() ([]Entry, error) {
	var out []Entry
	for _, dir := range []string{".", "negative"} {
		files, err := fs.Glob(shipped, path.Join(dir, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("list the shipped scenarios: %w", err)
		}
		for _, file := range files {
			text, err := shipped.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read a shipped scenario: %w", err)
			}
			plan, err := Parse(file, bytes.NewReader(text))
			if err != nil {
				return nil, fmt.Errorf("shipped scenario: %w", err)
			}
			out = append(out, Entry{Name: plan.Name, About: plan.About, Tags: plan.Tags, Negative: dir == "negative", File: file, Source: text})
		}
	}
	return out, nil
}

// Lookup returns the text of a shipped scenario. An unknown name is an error
// that suggests the nearest.
func Lookup(name string) ([]byte, error) {
	var names []string
	for _, dir := range []string{".", "negative"} {
		if text, err := shipped.ReadFile(path.Join(dir, name+".yaml")); err == nil {
			return text, nil
		}
		files, err := fs.Glob(shipped, path.Join(dir, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("list the shipped scenarios: %w", err)
		}
		for _, f := range files {
			names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
		}
	}
	return nil, fmt.Errorf("no shipped scenario is named %q: %s", name, suggest(name, names))
}
