package scenarios

import (
	"reflect"

	"github.com/invopop/jsonschema"

	"ordeal/chaos"
	"ordeal/runner/load"
	"ordeal/runner/verdict"
	"ordeal/targets/kubernetes"
)

const (
	durationPattern = `^[-+]?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`

	decimal  = `[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?`
	duration = `([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+`
	share    = decimal + ` *%`
	perTime  = decimal + ` */ *[smh]`
	number   = `-?` + decimal + ` *(KiB|MiB|GiB)?`
)

// written is how values of a type are written.
type written struct {
	pattern string
	words   bool // its examples are all that there is
	number  bool // a plain number is taken too
}

// limit is the pattern of a bound on something.
func limit(of string) written {
	return written{pattern: `^ *((<=|>=|<|>|=) *` + of + `|` + of + ` *\.\. *` + of + `) *$`}
}

// textTypes says how the types that read themselves from text are written, for
// the schema alone; a type that is not listed is any text there.
func textTypes() map[reflect.Type]written {
	return map[reflect.Type]written{
		reflect.TypeFor[load.Rate]():             {pattern: `^ *` + perTime + ` *$`},
		reflect.TypeFor[load.Curve]():            {pattern: `^ *` + perTime + ` *$`},
		reflect.TypeFor[chaos.Share]():           {pattern: `^ *` + share + ` *$`},
		reflect.TypeFor[chaos.ByteRate]():        {pattern: `^ *[0-9.]+ *([KMG]i?B|kB|B|[kMG]bit)?/s *$`},
		reflect.TypeFor[chaos.Size]():            {pattern: `^ *[0-9.]+ *([KMG]i?B|kB|B|[kMG]bit)? *$`, number: true},
		reflect.TypeFor[kubernetes.Spec]():       {words: true},
		reflect.TypeFor[verdict.Share]():         {pattern: `^ *` + share + ` *$`},
		reflect.TypeFor[verdict.Class]():         {words: true},
		reflect.TypeFor[verdict.DurationLimit](): limit(duration),
		reflect.TypeFor[verdict.RatioLimit]():    limit(`(` + share + `|0)`),
		reflect.TypeFor[verdict.CountLimit]():    limit(`[0-9]+`),
		reflect.TypeFor[verdict.RateLimit]():     limit(perTime),
		reflect.TypeFor[verdict.NumberLimit]():   limit(number),
	}
}

// textSchema is the schema of a type that reads itself from text.
func textSchema(t reflect.Type) *jsonschema.Schema {
	how, known := textTypes()[t]
	s := anyScalar()
	if known && !how.number {
		s = &jsonschema.Schema{Type: "string"}
	}
	s.Pattern = how.pattern
	for _, e := range examplesOf(t) {
		if how.words {
			s.Enum = append(s.Enum, e)
		} else {
			s.Examples = append(s.Examples, e)
		}
	}
	return s
}
