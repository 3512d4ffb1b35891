package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	anyNumber   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	durationish = regexp.MustCompile(`^[-+]?[0-9.]+ *([a-zA-Zµμ]*)`)
)

// isScalar reports whether a type is decoded from a single value.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map, reflect.Interface:
		return false
	}
	return true
}

// scalar decodes a single value of a basic type.
func (d *decoder) scalar(v reflect.Value, n *node, f field) {
	if n.kind != scalarNode {
		d.badValue(n, f, wants(v.Type(), f))
		return
	}
	switch {
	case v.Type() == durationType:
		d.duration(v, n, f)
	case v.Kind() == reflect.String:
		d.str(v, n, f)
	case v.Kind() == reflect.Bool:
		if n.quoted || n.text != "true" && n.text != "false" {
			d.badValue(n, f, wants(v.Type(), f))
			return
		}
		v.SetBool(n.text == "true")
	default:
		d.number(v, n, f)
	}
}

func (d *decoder) str(v reflect.Value, n *node, f field) {
	if len(f.enum) > 0 && !slices.Contains(f.enum, n.text) {
		d.bad(n.place, fmt.Sprintf("%s is not a value for %q", n.got(), f.name), suggest(n.text, f.enum))
		return
	}
	v.SetString(n.text)
	d.note(v, n, f)
}

func (d *decoder) number(v reflect.Value, n *node, f field) {
	want := wants(v.Type(), f)
	ok := false
	switch {
	case n.quoted:
	case v.CanInt() && wholeNumber.MatchString(n.text):
		i, err := strconv.ParseInt(n.text, 10, 64)
		if ok = err == nil && !v.OverflowInt(i); ok {
			v.SetInt(i)
		}
	case v.CanUint() && wholeNumber.MatchString(n.text):
		u, err := strconv.ParseUint(n.text, 10, 64)
		want += ", zero or more"
		if ok = err == nil && !v.OverflowUint(u); ok {
			v.SetUint(u)
		}
	case v.CanFloat() && anyNumber.MatchString(n.text):
		x, err := strconv.ParseFloat(n.text, 64)
		if ok = err == nil && !math.IsInf(x, 0); ok {
			v.SetFloat(x)
		}
	}
	if !ok {
		d.badValue(n, f, want)
	}
}

// duration takes a duration with its unit; where it may not be negative is for
// the rules of the struct to say.
func (d *decoder) duration(v reflect.Value, n *node, f field) {
	x, err := time.ParseDuration(n.text)
	parts := durationish.FindStringSubmatch(n.text)
	switch {
	case err == nil && parts != nil && parts[1] != "":
		v.SetInt(int64(x))
	case parts != nil && parts[1] == "":
		d.bad(n.place, fmt.Sprintf("%s has no unit", n.got()), "want "+wants(v.Type(), f))
	case parts != nil && !slices.Contains([]string{"ns", "us", "µs", "μs", "ms", "s", "m", "h"}, parts[1]):
		d.bad(n.place, fmt.Sprintf("%q is not a unit of time", parts[1]), "want ms, s, m or h, as in 300ms or 10s")
	default:
		d.badValue(n, f, wants(v.Type(), f))
	}
}

// free turns a node into plain Go values, by the core schema of YAML 1.2:
// map[string]any, []any, string, int64, float64, bool and nil.
func (d *decoder) free(n *node) any {
	switch n.kind {
	case mappingNode:
		m := make(map[string]any, len(n.entries))
		for _, e := range d.unique(n) {
			m[e.key] = d.free(e.value)
		}
		return m
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = d.free(item)
		}
		return list
	}
	switch {
	case n.null():
		return nil
	case n.quoted:
		return n.text
	case n.text == "true" || n.text == "false":
		return n.text == "true"
	}
	if wholeNumber.MatchString(n.text) {
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return i
		}
	}
	if anyNumber.MatchString(n.text) {
		if x, err := strconv.ParseFloat(n.text, 64); err == nil && !math.IsInf(x, 0) {
			return x
		}
	}
	return n.text
}
