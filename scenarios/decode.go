package scenarios

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// decoder fills Go structs from a tree by their tags (see field). It is the one
// place of the project that works by reflection on values: thereby every room
// describes its part of the language as plain structs, and errors, schema and
// reference come out alike for all.
type decoder struct {
	src   *source
	errs  Errors
	count int           // of errors, those beyond maxErrors too
	nodes map[any]*node // from a pointer to a decoded struct to its mapping
	refs  []reference
}

// reference is a name that must exist.
type reference struct {
	kind string // target, load, phase or link
	name string
	at   place
}

// validator is a struct with rules of its own. Validate calls bad for each rule
// that is broken; field is the key at fault, or "" for the struct itself.
type validator interface {
	Validate(bad func(field, format string, args ...any))
}

func newDecoder(src *source) *decoder {
	return &decoder{src: src, nodes: map[any]*node{}}
}

// decode fills what into points to, a struct.
func (d *decoder) decode(n *node, into any) {
	d.value(reflect.ValueOf(into).Elem(), n, field{name: "scenario"})
}

func (d *decoder) bad(at place, msg, hint string) {
	if d.count++; d.count <= maxErrors {
		d.errs = append(d.errs, d.src.errorAt(at, msg, hint))
	}
}

// badValue reports a value that its field does not take.
func (d *decoder) badValue(n *node, f field, want string) {
	at := n.place
	if n.null() || n.kind != scalarNode {
		at = n.head()
	}
	d.bad(at, fmt.Sprintf("%s is not a value for %q", n.got(), f.name), "want "+want)
}

// value decodes n into v, which is addressable.
func (d *decoder) value(v reflect.Value, n *node, f field) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		if n.null() && t.Elem().Kind() == reflect.Struct && !isText(t.Elem()) {
			d.bad(n.head(), fmt.Sprintf("%q has no value", f.name), fmt.Sprintf(`write "%s: {}" to take it with its defaults`, f.name))
			return
		}
		v.Set(reflect.New(t.Elem()))
		d.value(v.Elem(), n, f)
	case t == anyType:
		if free := d.free(n); free != nil {
			v.Set(reflect.ValueOf(free))
		}
	case n.null():
		d.badValue(n, f, wants(t, f))
	case t == durationType || isScalar(t) && !isText(t):
		d.scalar(v, n, f)
	case isText(t) && (n.kind == scalarNode || !composite(t, n.kind)):
		d.text(v, n, f)
	case t.Kind() == reflect.Struct:
		d.structure(v, n, f)
	case t.Kind() == reflect.Slice:
		d.list(v, n, f)
	case t.Kind() == reflect.Map:
		d.mapping(v, n, f)
	default:
		panic("scenarios: a spec has a field of type " + t.String())
	}
}

// composite reports whether a type that reads itself from text also takes a
// value of this shape.
func composite(t reflect.Type, k nodeKind) bool {
	return !isWord(t) && (t.Kind() == reflect.Struct && k == mappingNode || t.Kind() == reflect.Slice && k == listNode)
}

// text decodes a scalar into a type that reads itself; a struct that does has
// its defaults first and its rules applied after, as in its long form.
func (d *decoder) text(v reflect.Value, n *node, f field) {
	if n.kind != scalarNode {
		d.badValue(n, f, wants(v.Type(), f))
		return
	}
	if v.Kind() == reflect.Struct {
		d.presets(v, fieldsOf(v.Type()), n)
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)); err != nil {
		d.badText(n, f, err)
		return
	}
	d.note(v, n, f)
	if v.Kind() == reflect.Struct {
		d.nodes[v.Addr().Interface()] = n
		d.validate(v, n)
	}
}

// badText reports a text that its type does not take. The type's own words often
// start with the text, which is not said twice.
func (d *decoder) badText(n *node, f field, err error) {
	why, named := strings.CutPrefix(err.Error(), quote(n.text))
	if reason, ok := strings.CutPrefix(why, ": "); ok || !named {
		d.bad(n.place, fmt.Sprintf("%s is not a value for %q", n.got(), f.name), reason)
		return
	}
	reason, hint, _ := strings.Cut(why, ": ")
	d.bad(n.place, n.got()+reason, hint)
}

// list decodes a list, or a single name where names of things are wanted.
func (d *decoder) list(v reflect.Value, n *node, f field) {
	items := n.items
	switch {
	case n.kind == scalarNode && f.ref != "":
		items = []*node{n}
	case n.kind != listNode:
		d.badValue(n, f, wants(v.Type(), f))
		return
	}
	// Made at its full length, because nodes are kept by the address of what they became.
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(v.Index(i), item, field{name: f.name, enum: f.enum, ref: f.ref})
	}
}

// mapping decodes a mapping whose keys are names that the user chose.
func (d *decoder) mapping(v reflect.Value, n *node, f field) {
	if n.kind != mappingNode {
		d.badValue(n, f, wants(v.Type(), f))
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.entries)))
	names := v.Type().Elem().Kind() == reflect.String // then the values are what a ref speaks of
	for _, e := range d.unique(n) {
		within := field{name: e.key, enum: f.enum}
		switch {
		case names:
			within.ref = f.ref
		case f.ref != "":
			d.refs = append(d.refs, reference{f.ref, e.key, e.at})
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(item, e.value, within)
		v.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
}

// unique reports keys that are given twice, and returns the first of each.
func (d *decoder) unique(n *node) []entry {
	seen := make(map[string]place, len(n.entries))
	out := make([]entry, 0, len(n.entries))
	for _, e := range n.entries {
		if at, twice := seen[e.key]; twice {
			d.bad(e.at, fmt.Sprintf("duplicate key %q", e.key), fmt.Sprintf("it is on line %d already", at.line))
			continue
		}
		seen[e.key] = e.at
		out = append(out, e)
	}
	return out
}

// note keeps the names of things that a value refers to.
func (d *decoder) note(v reflect.Value, n *node, f field) {
	if f.ref == "" {
		return
	}
	switch {
	case v.Kind() == reflect.String:
		d.refs = append(d.refs, reference{f.ref, v.String(), n.place})
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		for i := range v.Len() {
			d.refs = append(d.refs, reference{f.ref, v.Index(i).String(), n.place})
		}
	}
}
