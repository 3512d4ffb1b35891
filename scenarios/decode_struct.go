package scenarios

import (
	"fmt"
	"reflect"
	"strings"
)

// structure decodes a mapping into a struct, whose fields are the only keys.
func (d *decoder) structure(v reflect.Value, n *node, f field) {
	if n.kind != mappingNode {
		d.badValue(n, f, wants(v.Type(), f))
		return
	}
	before := d.count
	d.nodes[v.Addr().Interface()] = n
	fields := fieldsOf(v.Type())
	d.presets(v, fields, n)
	given := map[string]entry{}
	meant := map[string]bool{} // fields that an unknown key probably stands for
	strangers := false
	for _, e := range d.unique(n) {
		known, ok := findField(fields, e.key)
		if !ok {
			names := fieldNames(fields)
			name, _ := nearest(e.key, names)
			meant[name], strangers = true, true
			d.bad(e.at, fmt.Sprintf("unknown key %q", e.key), suggest(e.key, names))
			continue
		}
		given[e.key] = e
		d.value(v.FieldByIndex(known.index), e.value, known)
	}
	for _, want := range fields {
		if _, ok := given[want.name]; want.required && !ok && !meant[want.name] {
			d.bad(n.head(), fmt.Sprintf("%q is missing", want.name), "want "+wants(want.typ, want))
		}
	}
	if !strangers {
		d.choice(n, fields, given)
	}
	if d.count == before {
		d.validate(v, n)
	}
}

func findField(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// choice demands exactly one field of each oneof group.
func (d *decoder) choice(n *node, fields []field, given map[string]entry) {
	groups, names := groupsOf(fields)
	for _, group := range groups {
		var chosen []entry
		for _, e := range n.entries {
			if known, ok := findField(fields, e.key); ok && known.oneof == group && given[e.key].at == e.at {
				chosen = append(chosen, e)
			}
		}
		switch {
		case len(chosen) == 0:
			d.bad(n.head(), "no "+group+" is given", "want "+oneOf(names[group]))
		case len(chosen) > 1:
			var keys []string
			for _, e := range chosen {
				keys = append(keys, quote(e.key))
			}
			d.bad(chosen[1].at, strings.Join(keys, " and ")+" are given together", "want one "+group+" only")
		}
	}
}

// presets sets absent fields to their defaults.
func (d *decoder) presets(v reflect.Value, fields []field, n *node) {
	for _, f := range fields {
		if f.preset == "" || n.get(f.name) != nil {
			continue
		}
		before := d.count
		d.value(v.FieldByIndex(f.index), &node{place: n.place, text: f.preset}, field{name: f.name, enum: f.enum})
		if d.count > before {
			panic(fmt.Sprintf("scenarios: %q is no default for %s in %s", f.preset, f.name, v.Type()))
		}
	}
}

// validate applies the rules of the struct itself.
func (d *decoder) validate(v reflect.Value, n *node) {
	rules, ok := v.Addr().Interface().(validator)
	if !ok {
		return
	}
	rules.Validate(func(name, format string, args ...any) {
		d.bad(n.placeOf(name), fmt.Sprintf(format, args...), hintIn(args))
	})
}

// chooser is an error about a word that is none of those known, told by a
// struct's own rules.
type chooser interface {
	Choices() (word string, known []string)
}

// hintIn is the hint of a chooser among what a rule reports; "" without one.
func hintIn(args []any) string {
	for _, arg := range args {
		if c, ok := arg.(chooser); ok {
			return suggest(c.Choices())
		}
	}
	return ""
}

// place is where a field of a decoded struct stands; the struct itself for "".
// The struct is given by the pointer that it was decoded into.
func (d *decoder) place(structure any, name string) place {
	n, ok := d.nodes[structure]
	if !ok {
		return place{1, 1, 1}
	}
	return n.placeOf(name)
}
