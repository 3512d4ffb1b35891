package scenarios

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of a scenario file, made from the
// structs that it is decoded into, for completion in editors. What needs more
// than the shape of a file, such as names that must exist, Parse alone checks.
func Schema() ([]byte, error) {
	b := schemaBuilder{structs: map[string]reflect.Type{}}
	r := jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Namer:                      b.name,
		Mapper:                     b.scalar,
	}
	s := r.Reflect(document{})
	b.complete(s, reflect.TypeFor[document]())
	for name, def := range s.Definitions {
		b.complete(def, b.structs[name])
	}
	s.Title = "Ordeal scenario"
	s.Description = "What runs, what load it gets, what breaks and when, and what must hold."
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(out, '\n'), nil
}

// schemaBuilder adds to a reflected schema what is said by our own tags.
type schemaBuilder struct{ structs map[string]reflect.Type }

// name names a definition by its package, because many rooms have a Spec.
func (b schemaBuilder) name(t reflect.Type) string {
	if t.Kind() != reflect.Struct || t.Name() == "" {
		return t.Name()
	}
	name := path.Base(t.PkgPath()) + "." + t.Name()
	b.structs[name] = t
	return name
}

// scalar gives the schema of types that are read from text; nil leaves a type
// to the reflector.
func (b schemaBuilder) scalar(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == durationType:
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern, Examples: []any{"300ms", "10s"}}
	case isWord(t):
		return textSchema(t)
	case t.Kind() == reflect.Slice && isText(t):
		return oneOrMore(anyScalar())
	case t.Kind() == reflect.String:
		return anyScalar()
	}
	return nil
}

// anyScalar is text that may be written without quotes although YAML takes it
// for a number or a truth value, as in tuning: {breaker-window: 10}.
func anyScalar() *jsonschema.Schema {
	return &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
}

func oneOrMore(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{item, {Type: "array", Items: item}}}
}

// complete adds required keys, choices, defaults, words and descriptions to the
// schema of a struct, and its short form where it has one.
func (b schemaBuilder) complete(s *jsonschema.Schema, t reflect.Type) {
	fields := fieldsOf(t)
	for _, f := range fields {
		if f.required {
			s.Required = append(s.Required, f.name)
		}
		if prop, ok := s.Properties.Get(f.name); ok {
			s.Properties.Set(f.name, completeField(prop, f))
		}
	}
	order, names := groupsOf(fields)
	for _, group := range order {
		var choice []*jsonschema.Schema
		for _, name := range names[group] {
			choice = append(choice, &jsonschema.Schema{Required: []string{name}})
		}
		s.AllOf = append(s.AllOf, &jsonschema.Schema{OneOf: choice})
	}
	if isText(t) {
		long := *s
		*s = jsonschema.Schema{AnyOf: []*jsonschema.Schema{textSchema(t), &long}}
	}
}

func completeField(prop *jsonschema.Schema, f field) *jsonschema.Schema {
	t := f.typ
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(f.enum) > 0 {
		words := make([]any, len(f.enum))
		for i, w := range f.enum {
			words[i] = w
		}
		prop = &jsonschema.Schema{Type: "string", Enum: words}
	}
	if f.ref != "" && t.Kind() == reflect.Slice && !isText(t) {
		prop = oneOrMore(anyScalar())
	}
	prop.Description = f.doc
	if f.preset != "" {
		prop.Default = presetValue(t, f.preset)
	}
	return prop
}

// presetValue is a default as JSON writes it.
func presetValue(t reflect.Type, text string) any {
	if t == durationType || isText(t) {
		return text
	}
	v := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.Bool:
		return text == "true"
	case v.CanInt() || v.CanUint() || v.CanFloat():
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text)
		}
	}
	return text
}
