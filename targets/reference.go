package targets

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ordeal/targets/gateway"
	"ordeal/targets/users"
)

// TargetVerb is the verb of the command that runs a reference service.
const TargetVerb = "target"

// referenceReady is the one line that a reference service prints.
var referenceReady = regexp.MustCompile(`^ready service=\S+ addr=(\S+) admin=(\S+)$`)

// placed are the flags that the launcher sets itself.
var placed = []string{"addr", "admin", "instance"}

// referenceFlags gives the settings of a reference service.
func referenceFlags(name string) *flag.FlagSet {
	switch name {
	case "gateway":
		return gateway.NewFlagSet(new(gateway.Config))
	case "users":
		return users.NewFlagSet(new(users.Config))
	default:
		return nil
	}
}

// referenceCalls gives the names of what a reference service calls; each is
// also the flag that takes the addresses.
func referenceCalls(name string) []string {
	if name == "gateway" {
		return []string{"users"}
	}
	return nil
}

// checkSetting checks one setting of a reference service by setting it.
func checkSetting(reference, name, value string) error {
	flags := referenceFlags(reference)
	if flags == nil {
		return nil // the unknown reference is an error already
	}
	flags.SetOutput(io.Discard)
	if flags.Lookup(name) == nil || slices.Contains(placed, name) || slices.Contains(referenceCalls(reference), name) {
		return unknownSetting{reference, name}
	}
	if err := flags.Set(name, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// unknownSetting is the error of a setting that a reference service lacks.
type unknownSetting struct{ reference, name string }

func (e unknownSetting) Error() string {
	return fmt.Sprintf("the reference %s has no setting %q", e.reference, e.name)
}

// Choices gives the name, and those that it could have been.
func (e unknownSetting) Choices() (word string, known []string) {
	return e.name, SettingNames(e.reference)
}

// SettingNames lists the settings of a reference service, sorted.
func SettingNames(reference string) []string {
	var names []string
	referenceFlags(reference).VisitAll(func(f *flag.Flag) {
		if !slices.Contains(placed, f.Name) && !slices.Contains(referenceCalls(reference), f.Name) {
			names = append(names, f.Name)
		}
	})
	return names
}

func (p *Process) referenceArgv() []string {
	p.mu.Lock()
	addr, admin := p.addr, p.admin
	p.mu.Unlock()
	if addr == "" {
		addr, admin = "127.0.0.1:0", "127.0.0.1:0"
	}
	argv := append(slices.Clone(p.launcher.cfg.Self), TargetVerb, p.spec.Reference,
		"--addr="+addr, "--admin="+admin, "--instance="+p.name)
	for _, name := range slices.Sorted(maps.Keys(p.calls)) {
		argv = append(argv, "--"+name+"="+strings.Join(p.calls[name], ","))
	}
	for _, name := range slices.Sorted(maps.Keys(p.spec.Tuning)) {
		argv = append(argv, "--"+name+"="+p.spec.Tuning[name])
	}
	return argv
}
