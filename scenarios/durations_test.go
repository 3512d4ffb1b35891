package scenarios

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ordeal/targets"
)

// specTypes lists the struct types that the language is made of.
func specTypes(t reflect.Type, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		specTypes(t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		for _, f := range fieldsOf(t) {
			specTypes(f.typ, seen)
		}
	}
}

// No duration of the language may be negative, but those listed here.
func TestNegativeDurationsAreRefused(t *testing.T) {
	elsewhere := []string{
		"scenarios.phase.for", // by the timeline's own rules, see below
		"load.JWT.expires",    // a token that has expired already
	}
	whole := map[reflect.Type]any{ // where nothing is looked at before the kind is known
		reflect.TypeFor[targets.Spec](): targets.Spec{External: "127.0.0.1:80", Replicas: 1},
	}
	types := map[reflect.Type]bool{}
	specTypes(reflect.TypeFor[document](), types)
	looked := 0
	for typ := range types {
		for _, f := range fieldsOf(typ) {
			name := typ.String() + "." + f.name
			pointer := f.typ == reflect.PointerTo(durationType)
			if f.typ != durationType && !pointer || slices.Contains(elsewhere, name) {
				continue
			}
			looked++
			v := reflect.New(typ)
			if base, ok := whole[typ]; ok {
				v.Elem().Set(reflect.ValueOf(base))
			}
			field := v.Elem().FieldByIndex(f.index)
			if pointer {
				field.Set(reflect.New(durationType))
				field = field.Elem()
			}
			field.SetInt(int64(-time.Second))
			rules, ok := v.Interface().(validator)
			if !ok {
				t.Errorf("%s has no rules", typ)
				continue
			}
			refused := false
			rules.Validate(func(at, _ string, _ ...any) { refused = refused || at == f.name })
			if !refused {
				t.Errorf("%s may be negative", name)
			}
		}
	}
	if looked < 20 {
		t.Errorf("only %d durations were found", looked)
	}

	_, err := Parse("x.yaml", strings.NewReader(strings.Replace(sound, "phase: steady, for: 10s", "phase: steady, for: -10s", 1)))
	es := asErrors(err)
	if len(es) == 0 || !strings.Contains(es[0].Msg, "takes no time") {
		t.Errorf("a phase may be negative: %v", es)
	}
}
