package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/template"
)

// text is a string of a request: fixed, or a template filled for each call.
type text struct {
	fixed string
	tmpl  *template.Template // nil: fixed
}

// parseText parses s once; a string without {{ is fixed and is never executed.
func parseText(name, s string) (text, error) {
	if !strings.Contains(s, "{{") {
		return text{fixed: s}, nil
	}
	t, err := template.New(name).Option("missingkey=error").Parse(s)
	if err != nil {
		return text{}, fmt.Errorf("parse the template: %w", err)
	}
	return text{tmpl: t}, nil
}

// render gives the string for one call.
func (t text) render(v *vars) (string, error) {
	if t.tmpl == nil {
		return t.fixed, nil
	}
	var b strings.Builder
	if err := t.tmpl.Execute(&b, v); err != nil {
		return "", err
	}
	return b.String(), nil
}

// content is a body or a message: fixed bytes, or pieces of which some are
// filled for each call.
type content struct {
	parts []part
	json  bool
}

// part is a piece of a content. A piece inside JSON is quoted when it is
// filled, so that no value can break out of its string.
type part struct {
	text  text
	quote bool
	at    string // where it is, as in "tags.1"; "" for the whole
}

// fixed returns the bytes, where no part is a template.
func (c content) fixed() ([]byte, bool) {
	var b []byte
	for _, p := range c.parts {
		if p.text.tmpl != nil {
			return nil, false
		}
		b = append(b, p.text.fixed...)
	}
	return b, true
}

// render appends the content for one call.
func (c content) render(b []byte, v *vars) ([]byte, error) {
	for _, p := range c.parts {
		s, err := p.text.render(v)
		if err != nil {
			return nil, err
		}
		if p.quote {
			if b, err = appendJSON(b, s); err != nil {
				return nil, err
			}
			continue
		}
		b = append(b, s...)
	}
	return b, nil
}

// parseBody prepares a body: a string as it is, anything else as JSON.
func parseBody(body any) (content, error) {
	switch body := body.(type) {
	case nil:
		return content{}, nil
	case string:
		t, err := parseText("body", body)
		return content{parts: []part{{text: t}}}, err
	}
	return parseJSON(body)
}

// parseJSON prepares a value of free-form YAML as JSON; nil is the empty object.
func parseJSON(value any) (content, error) {
	if value == nil {
		value = map[string]any{}
	}
	c := content{json: true}
	err := c.add("", value)
	return c, err
}

func (c *content) add(at string, value any) error {
	switch value := value.(type) {
	case map[string]any:
		return c.addObject(at, value)
	case []any:
		c.literal("[")
		for i, item := range value {
			if i > 0 {
				c.literal(",")
			}
			if err := c.add(within(at, strconv.Itoa(i)), item); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		c.literal("]")
		return nil
	case string:
		t, err := parseText("value", value)
		if err != nil {
			return err
		}
		if t.tmpl != nil {
			c.parts = append(c.parts, part{text: t, quote: true, at: at})
			return nil
		}
	}
	b, err := appendJSON(nil, value)
	c.literal(string(b))
	return err
}

func (c *content) addObject(at string, object map[string]any) error {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	sort.Strings(names)
	c.literal("{")
	for i, name := range names {
		if i > 0 {
			c.literal(",")
		}
		b, err := appendJSON(nil, name)
		if err != nil {
			return err
		}
		c.literal(string(b) + ":")
		if err := c.add(within(at, name), object[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	c.literal("}")
	return nil
}

func within(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// literal appends fixed text, to the last part where that is fixed too.
func (c *content) literal(s string) {
	if n := len(c.parts); n > 0 && c.parts[n-1].text.tmpl == nil {
		c.parts[n-1].text.fixed += s
		return
	}
	c.parts = append(c.parts, part{text: text{fixed: s}})
}

// appendJSON appends value as JSON, with <, > and & as they are.
func appendJSON(b []byte, value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...), nil
}

// vars is what a template sees.
type vars struct {
	Seq  uint64 // the call's number, from 0
	Load string // the load's name
	Row  Row    // the call's row of the data file

	state uint64 // of the random values: by seed, load and call alone
}

// newVars prepares the values of call seq. The same seed gives the same values.
func newVars(seed, seq uint64, load string, rows []Row) *vars {
	v := &vars{Seq: seq, Load: load, state: mix(mix(seed, hashString(load)), seq)}
	if len(rows) > 0 {
		v.Row = rows[seq%uint64(len(rows))]
	}
	return v
}

func (v *vars) next() uint64 {
	v.state = mix(v.state, 0x5bf0)
	return v.state
}

// Int is a random whole number from low to high, both possible.
func (v *vars) Int(low, high int) (int, error) {
	if high < low {
		return 0, fmt.Errorf("no number lies from %d to %d", low, high)
	}
	span := uint64(high-low) + 1
	if span == 0 {
		return int(v.next()), nil
	}
	return low + int(v.next()%span), nil
}

// Hex is n random hexadecimal digits.
func (v *vars) Hex(n int) (string, error) {
	if n < 0 || n > 1<<20 {
		return "", fmt.Errorf("want 0 to %d digits, not %d", 1<<20, n)
	}
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = fmt.Appendf(b, "%016x", v.next())
	}
	return string(b[:n]), nil
}

// UUID is a random UUID (version 4).
func (v *vars) UUID() string {
	a, b := v.next(), v.next()
	a = a&^0xf000 | 0x4000
	b = b&^(0b11<<62) | 0b10<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

// Pick is one of the values, at random.
func (v *vars) Pick(values ...any) (any, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("nothing to pick from")
	}
	return values[v.next()%uint64(len(values))], nil
}

// bindings are headers or metadata: fixed pairs, and pairs filled for each call.
type bindings []binding

type binding struct {
	name  string
	value text
}

// parseBindings prepares the pairs, sorted by name.
func parseBindings(pairs map[string]string) (bindings, error) {
	bs := make(bindings, 0, len(pairs))
	for name, value := range pairs {
		t, err := parseText(name, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		bs = append(bs, binding{name, t})
	}
	slices.SortFunc(bs, func(a, b binding) int { return strings.Compare(a.name, b.name) })
	return bs, nil
}

// fixed reports whether no pair is a template.
func (bs bindings) fixed() bool {
	return !slices.ContainsFunc(bs, func(b binding) bool { return b.value.tmpl != nil })
}
