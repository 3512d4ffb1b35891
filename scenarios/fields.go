package scenarios

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is one key of a spec struct, read from its tags:
//
//	yaml:"name"       the key; "-" leaves the field out; ",inline" takes the fields of an embedded struct
//	required:"true"   it must be given
//	default:"5s"      what it is when absent, in text form
//	enum:"a,b"        the words that it may be
//	oneof:"kind"      exactly one of the fields with this tag must be given
//	ref:"load"        it names a target, load, phase or link; on a map, its values do if they are text, else its keys
//	doc:"…"           one line for the schema and the reference
type field struct {
	name     string
	typ      reflect.Type
	index    []int
	required bool
	preset   string // of the default tag
	enum     []string
	oneof    string
	ref      string
	doc      string
}

var (
	durationType        = reflect.TypeFor[time.Duration]()
	anyType             = reflect.TypeFor[any]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// fieldsOf lists the keys of a struct type in their order.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if options == "inline" {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		if name == "" || name == "-" || !sf.IsExported() {
			continue
		}
		f := field{name: name, typ: sf.Type, index: []int{i}, required: sf.Tag.Get("required") == "true",
			preset: sf.Tag.Get("default"), oneof: sf.Tag.Get("oneof"), ref: sf.Tag.Get("ref"), doc: sf.Tag.Get("doc")}
		if words := sf.Tag.Get("enum"); words != "" {
			f.enum = strings.Split(words, ",")
		}
		out = append(out, f)
	}
	return out
}

// fieldNames lists the keys of a struct type.
func fieldNames(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.name)
	}
	return out
}

// groupsOf gives the names of each oneof group, and the groups in order.
func groupsOf(fields []field) (order []string, names map[string][]string) {
	names = map[string][]string{}
	for _, f := range fields {
		if f.oneof == "" {
			continue
		}
		if !slices.Contains(order, f.oneof) {
			order = append(order, f.oneof)
		}
		names[f.oneof] = append(names[f.oneof], f.name)
	}
	return order, names
}

// isText reports whether a type reads itself from text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(textUnmarshalerType)
}

// isWord reports whether a type has no form but text: not the short form of a
// mapping, nor of a list.
func isWord(t reflect.Type) bool {
	switch {
	case t == anyType || !isText(t) || t.Kind() == reflect.Slice:
		return false
	}
	return t.Kind() != reflect.Struct || len(fieldsOf(t)) == 0
}

// exampler is what a type that reads itself from text may offer: texts that it
// takes.
type exampler interface{ Examples() []string }

// examplesOf gives the texts that a type offers as examples.
func examplesOf(t reflect.Type) []string {
	if e, ok := reflect.New(t).Interface().(exampler); ok {
		return e.Examples()
	}
	return nil
}

// wants says what a field takes, for errors and the reference.
func wants(t reflect.Type, f field) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case len(f.enum) > 0:
		return oneOf(f.enum)
	case t == durationType:
		return `a duration such as "300ms" or "10s"`
	case t == anyType:
		return "any value"
	case isText(t) && t.Kind() != reflect.Slice:
		return wantsText(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		if f.ref != "" {
			return "the name of a " + f.ref
		}
		return "text"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		if f.ref != "" {
			return "the name of a " + f.ref + ", or a list of names"
		}
		return "a list"
	}
	return "a mapping { }"
}

func wantsText(t reflect.Type) string {
	examples := examplesOf(t)
	if len(examples) == 0 {
		return "text"
	}
	quoted := make([]string, 0, 3)
	for _, e := range examples[:min(3, len(examples))] {
		quoted = append(quoted, quote(e))
	}
	last := len(quoted) - 1
	if last == 0 {
		return "a value such as " + quoted[0]
	}
	return "a value such as " + strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
