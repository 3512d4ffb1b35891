package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// images says which program is run for an image: NAME=JSON, a JSON array of the program and its first arguments. It is
// a flag that may be given again and again.
type images map[string][]string

// Set adds the image of one flag.
func (i images) Set(text string) error {
	name, entry, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf(`%q: want NAME=JSON, as ordeal/users='["/usr/bin/ordeal","target","users"]'`, text)
	}
	if strings.ContainsAny(name, ":@") {
		return fmt.Errorf("image %q: want the name without registry and tag, for it is run the same with any", name)
	}
	var command []string
	if err := json.Unmarshal([]byte(entry), &command); err != nil {
		return fmt.Errorf("image %s: want a JSON array of strings, and not %s: %w", name, entry, err)
	}
	if len(command) == 0 || command[0] == "" {
		return fmt.Errorf("image %s: the array names no program", name)
	}
	i[name] = command
	return nil
}

// String lists the images that have a program.
func (i images) String() string { return strings.Join(slices.Sorted(maps.Keys(i)), ",") }

// Type names the value of the flag.
func (i images) Type() string { return "NAME=JSON" }

// addReference adds the reference services of an ordeal that is beside this program, unless the images are there.
func (i images) addReference(self string) {
	ordeal := filepath.Join(filepath.Dir(self), "ordeal")
	if info, err := os.Stat(ordeal); err != nil || info.IsDir() {
		return
	}
	for _, service := range []string{"gateway", "users"} {
		if name := "ordeal/" + service; i[name] == nil {
			i[name] = []string{ordeal, "target", service}
		}
	}
}
