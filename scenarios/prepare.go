package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"ordeal/runner/load"
	"ordeal/targets"
)

// Prepare tries out what can be tried before anything is started: data files,
// templates, tokens, descriptions and working directories. Relative names are
// taken from dir, where the scenario is. The error is an Errors.
func (p *Plan) Prepare(dir string) error {
	var errs Errors
	for _, t := range p.Targets {
		if err := checkWorkdir(t, dir); err != nil {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(t, "workdir"), fmt.Sprintf("target %s: %v", t.Name, err), ""))
		}
	}
	for _, l := range p.Loads {
		for _, m := range l.Prepare(dir, p.Seed, services(p.Target(l.Target()))) {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(m.In, m.Field), fmt.Sprintf("load %s: %v", l.Name, m.Err), ""))
		}
	}
	if len(errs) > 0 {
		return sortErrors(errs)
	}
	return nil
}

// services tells of what a reference service serves, whose code is a part of this
// program; nil for other targets.
func services(t *targets.Spec) load.Services {
	if t.Kind() != targets.KindReference {
		return nil
	}
	return func(name string) (protoreflect.FileDescriptor, error) {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return nil, fmt.Errorf("the reference %s has none of that name", t.Reference)
		}
		return found.ParentFile(), nil
	}
}

// checkWorkdir looks whether the directory of a command is there.
func checkWorkdir(t *targets.Spec, dir string) error {
	if t.Kind() != targets.KindCommand || t.Workdir == "" {
		return nil
	}
	name := t.Workdir
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", name)
	case err != nil:
		return fmt.Errorf("look at the workdir: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", name)
	}
	return nil
}
