package scenarios

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference is the page of documentation of the scenario language, in Markdown,
// made from the structs that a scenario is decoded into.
func Reference() string {
	r := &referencePage{titles: map[reflect.Type]string{}}
	r.b.WriteString(referenceHead)
	if example, err := Lookup("breaker-opens-and-recovers"); err == nil {
		r.b.WriteString("\n## An example\n\n```yaml\n" + string(example) + "```\n")
	}
	r.queue(reflect.TypeFor[document](), "The file")
	for len(r.todo) > 0 {
		t, later := r.todo[0], r.todo[1:]
		r.todo = nil
		r.section(t)
		r.todo = append(r.todo, later...) // what a section holds comes right after it
	}
	return r.b.String()
}

const referenceHead = `# Scenario reference

<!-- Generated from the Go types by "go test ./scenarios -run Reference -update". Do not edit. -->

A scenario is one YAML file: what runs, what load it gets, what breaks and when, and what must hold.
Reading is strict: an unknown key, a wrong unit, or a name that nothing has is an error with its line and column.
` + "`ordeal plan FILE`" + ` shows what a scenario would do, and ` + "`ordeal schema`" + ` prints a JSON Schema for editors.

- Durations carry their unit: ` + "`300ms`, `10s`, `1m30s`" + `. Rates do too: ` + "`300/s`, `20/m`" + `.
- Limits are text in quotes: ` + "`\"< 50ms\"`, `\"> 99%\"`, `\"= 0\"`, `\"0..5\"`" + `. Without quotes YAML would take ` + "`>`" + ` for its own.
- A link is the way from one target to another that it calls, ` + "`gateway->users`" + `, or from the load generator, ` + "`client->gateway`" + `.
  A link named anywhere goes through a proxy for the whole run, so that phases differ by the fault alone.
- A phase named ` + "`warmup`" + ` is left out of every judgement that does not name it.
- Anchors, aliases, tags and further documents are not part of the language.
`

// referencePage gathers the page: a section for each struct, in the order in
// which they are come upon.
type referencePage struct {
	b      strings.Builder
	todo   []reflect.Type
	titles map[reflect.Type]string
}

// queue gives a struct a section, once.
func (r *referencePage) queue(t reflect.Type, title string) {
	if _, there := r.titles[t]; there {
		return
	}
	r.titles[t] = title
	r.todo = append(r.todo, t)
}

func (r *referencePage) section(t reflect.Type) {
	fields := fieldsOf(t)
	level := "##"
	if strings.Contains(r.titles[t], ": ") {
		level = "###"
	}
	fmt.Fprintf(&r.b, "\n%s %s\n\n", level, r.titles[t])
	if isText(t) {
		fmt.Fprintf(&r.b, "In short form %s, in long form:\n\n", code(examplesOf(t)))
	}
	if groups, names := groupsOf(fields); len(groups) > 0 {
		for _, g := range groups {
			fmt.Fprintf(&r.b, "Exactly one of %s.\n\n", code(names[g]))
		}
	}
	if len(fields) == 0 {
		r.b.WriteString("Has no keys: write `{}`.\n")
		return
	}
	r.b.WriteString("| key | takes | meaning |\n| --- | --- | --- |\n")
	for _, f := range fields {
		r.row(t, f)
	}
}

func (r *referencePage) row(t reflect.Type, f field) {
	takes := r.takes(f, r.path(t, f))
	if f.preset != "" {
		takes += "; " + code([]string{f.preset}) + " when absent"
	}
	name := code([]string{f.name})
	if f.required {
		name += " (required)"
	}
	fmt.Fprintf(&r.b, "| %s | %s | %s |\n", name, cell(takes), cell(f.doc))
}

// path is the title of the section of what a field holds.
func (r *referencePage) path(t reflect.Type, f field) string {
	if t == reflect.TypeFor[document]() {
		return strings.ToUpper(f.name[:1]) + f.name[1:]
	}
	return r.titles[t] + ": " + f.name
}

// takes says what a field takes, and queues the structs that it holds.
func (r *referencePage) takes(f field, title string) string {
	t, prefix := f.typ, ""
	for {
		switch {
		case t == durationType || t == anyType || isWord(t) || t.Kind() == reflect.Slice && isText(t):
			return prefix + r.words(t, f)
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
			continue
		case t.Kind() == reflect.Slice && f.ref == "":
			t, prefix = t.Elem(), prefix+"a list of: "
			continue
		case t.Kind() == reflect.Map:
			t, prefix = t.Elem(), prefix+"names, each with: "
			continue
		case t.Kind() == reflect.Struct:
			r.queue(t, title)
			return prefix + fmt.Sprintf("[%s](#%s)", r.titles[t], anchor(r.titles[t]))
		}
		return prefix + r.words(t, f)
	}
}

// words says what a single value is.
func (r *referencePage) words(t reflect.Type, f field) string {
	switch {
	case len(f.enum) > 0:
		return code(f.enum)
	case t == durationType:
		return "a duration"
	case isWord(t) && textTypes()[t].words:
		return code(examplesOf(t))
	case isWord(t) && len(examplesOf(t)) > 0:
		return "such as " + code(examplesOf(t))
	}
	return wants(t, f)
}

// code writes words as code, with commas.
func code(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "`" + w + "`"
	}
	return strings.Join(quoted, ", ")
}

// cell makes text fit for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// anchor is the name under which a heading is linked to.
func anchor(title string) string {
	keep := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(title))
}
