// Package kubernetes holds the manifests of the reference services, a kustomization for each way to run them, and
// builds them without a file or a program beside the binary.
package kubernetes

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

//go:embed base blue-green components overlays
var files embed.FS

// Overlays lists what Build builds, sorted: each kustomization below overlays/.
func Overlays() []string {
	var list []string
	// The walk cannot fail: the files are in memory.
	_ = fs.WalkDir(files, "overlays", func(name string, _ fs.DirEntry, err error) error {
		if path.Base(name) == "kustomization.yaml" {
			list = append(list, path.Dir(name))
		}
		return err
	})
	slices.Sort(list)
	return list
}

// Build returns the objects of an overlay, such as "overlays/local", as YAML documents in the order in which they
// are to be applied. The error of a name that is not there lists those that are.
func Build(overlay string) ([]byte, error) {
	if !slices.Contains(Overlays(), overlay) {
		return nil, fmt.Errorf("no shipped kustomization is named %q: want one of %s", overlay, strings.Join(Overlays(), ", "))
	}
	disk, err := memory()
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy // namespaces, accounts and configuration before what needs them
	objects, err := krusty.MakeKustomizer(options).Run(disk, "/"+overlay)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", overlay, err)
	}
	text, err := objects.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", overlay, err)
	}
	return text, nil
}

// memory copies the files to where kustomize can read them.
func memory() (filesys.FileSystem, error) {
	disk := filesys.MakeFsInMemory()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return disk.WriteFile("/"+name, text)
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded manifests: %w", err)
	}
	return disk, nil
}
