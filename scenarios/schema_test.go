package scenarios

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schemaCheck validates plain values against the keywords that Schema emits. A
// keyword that it does not know is an error, so that none is passed over.
type schemaCheck struct{ root map[string]any }

func newSchemaCheck(t *testing.T) schemaCheck {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	c := schemaCheck{}
	if err := json.Unmarshal(text, &c.root); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c schemaCheck) check(schema, value any, at string) error {
	if allowed, ok := schema.(bool); ok {
		if !allowed {
			return fmt.Errorf("%s: not allowed", at)
		}
		return nil
	}
	s := schema.(map[string]any)
	for keyword, rule := range s {
		if err := c.keyword(s, keyword, rule, value, at); err != nil {
			return err
		}
	}
	return nil
}

func (c schemaCheck) keyword(s map[string]any, keyword string, rule, value any, at string) error {
	switch keyword {
	case "$schema", "$defs", "title", "description", "default", "examples":
		return nil
	case "$ref":
		name := strings.TrimPrefix(rule.(string), "#/$defs/")
		return c.check(c.root["$defs"].(map[string]any)[name], value, at)
	case "type":
		return checkType(rule, value, at)
	case "enum":
		if !slices.Contains(rule.([]any), value) {
			return fmt.Errorf("%s: %v is not one of %v", at, value, rule)
		}
	case "pattern":
		if text, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
			return fmt.Errorf("%s: %q does not match %s", at, text, rule)
		}
	case "items":
		list, _ := value.([]any)
		for i, item := range list {
			if err := c.check(rule, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "required":
		m, ok := value.(map[string]any)
		for _, name := range rule.([]any) {
			if _, there := m[name.(string)]; ok && !there {
				return fmt.Errorf("%s: %s is missing", at, name)
			}
		}
	case "properties", "additionalProperties":
		return c.properties(s, keyword, rule, value, at)
	case "allOf", "anyOf", "oneOf":
		return c.combined(keyword, rule.([]any), value, at)
	default:
		return fmt.Errorf("%s: the schema uses %q, which this test does not know", at, keyword)
	}
	return nil
}

func (c schemaCheck) properties(s map[string]any, keyword string, rule, value any, at string) error {
	m, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	known, _ := s["properties"].(map[string]any)
	for name, item := range m {
		sub, named := known[name]
		if named != (keyword == "properties") {
			continue
		}
		if !named {
			sub = rule
		}
		if err := c.check(sub, item, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func (c schemaCheck) combined(keyword string, rules []any, value any, at string) error {
	var errs []error
	for _, r := range rules {
		if err := c.check(r, value, at); err != nil {
			errs = append(errs, err)
		}
	}
	good := len(rules) - len(errs)
	if keyword == "allOf" && good < len(rules) || keyword == "anyOf" && good == 0 || keyword == "oneOf" && good != 1 {
		return fmt.Errorf("%s: %d of %d of %s hold: %v", at, good, len(rules), keyword, errs)
	}
	return nil
}

func checkType(rule, value any, at string) error {
	types, ok := rule.([]any)
	if !ok {
		types = []any{rule}
	}
	var is []string
	switch v := value.(type) {
	case string:
		is = []string{"string"}
	case bool:
		is = []string{"boolean"}
	case int64:
		is = []string{"integer", "number"}
	case float64:
		is = []string{"number"}
	case []any:
		is = []string{"array"}
	case map[string]any:
		is = []string{"object"}
	default:
		is = []string{fmt.Sprintf("%T", v)}
	}
	for _, t := range types {
		if slices.Contains(is, t.(string)) {
			return nil
		}
	}
	return fmt.Errorf("%s: want %v, not %v", at, types, is)
}

// plain reads YAML into plain values.
func plain(t *testing.T, text []byte) any {
	t.Helper()
	src := newSource("x.yaml", text)
	root, errs := parseYAML(src, text)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return newDecoder(src).free(root)
}

func TestSchemaTakesEveryShippedScenario(t *testing.T) {
	c := newSchemaCheck(t)
	entries, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := c.check(c.root, plain(t, e.Source), e.Name); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
}

const sound = `
ordeal: v1
name: sound
tags: [ci, on]
targets:
  users: {reference: users}
  gateway: {reference: gateway, calls: {users: users}, tuning: {breaker-window: 10}}
load:
  browse: {http: {target: gateway, get: /x}, rate: 300/s}
  ramp: {http: {target: gateway, get: /x}, rate: {ramp: {from: 1/s, to: 2/s}}}
timeline:
  - {phase: steady, for: 10s}
  - {phase: outage, for: 10s, faults: [{link: gateway->users, latency: {delay: 1s}}]}
expect:
  - errors: {load: browse, during: [steady, outage], ratio: "< 1%", classes: [timeout]}
  - latency: {load: browse, during: steady, p99: "< 50ms"}
`

// Each change makes a sound scenario one that both the schema and the parser
// refuse.
func TestSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	c := newSchemaCheck(t)
	if _, err := Parse("sound.yaml", strings.NewReader(sound)); err != nil {
		t.Fatal(err)
	}
	if err := c.check(c.root, plain(t, []byte(sound)), ""); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"ordeal: v1", "ordeal: v2"},
		{"name: sound", "nam: sound"},
		{"name: sound", "name: [sound]"},
		{"reference: users", "reference: user"},
		{"rate: 300/s", "rate: 300"},
		{"rate: 300/s", "rate: 300/d"},
		{"rate: 300/s", "rat: 300/s"},
		{"ramp: {from: 1/s, to: 2/s}", "ramp: {from: 1/s}"},
		{"ramp: {from: 1/s, to: 2/s}", "ramp: {from: 1/s, to: 2/s}, hold: 1/s"},
		{"http: {target: gateway, get: /x}, rate: 300/s", "rate: 300/s"},
		{"phase: steady, for: 10s", "phase: steady, for: 10"},
		{"phase: steady, for: 10s", "phase: steady"},
		{"latency: {delay: 1s}", "latency: {delay: 1d}"},
		{"latency: {delay: 1s}", "latencies: {delay: 1s}"},
		{"latency: {delay: 1s}", "latency: {delay: 1s}, refuse: {}"},
		{`ratio: "< 1%"`, `ratio: "< 1"`},
		{`p99: "< 50ms"`, `p99: "50ms"`},
		{`p99: "< 50ms"`, `p98: "< 50ms"`},
		{`p99: "< 50ms"`, `p99: {}`},
		{"classes: [timeout]", "classes: [timeouts]"},
		{"timeline:\n", "timelines:\n"},
		{"\nload:\n", "\nload: []\nloads:\n"},
	} {
		text := strings.Replace(sound, change[0], change[1], 1)
		if text == sound {
			t.Fatalf("%q is not in the scenario", change[0])
		}
		if err := c.check(c.root, plain(t, []byte(text)), ""); err == nil {
			t.Errorf("the schema takes %q", change[1])
		}
		if _, err := Parse("x.yaml", strings.NewReader(text)); err == nil {
			t.Errorf("the parser takes %q", change[1])
		}
	}
}

// What a type offers as an example, both the type and its pattern take.
func TestExamplesAreTaken(t *testing.T) {
	for typ, how := range textTypes() {
		examples := examplesOf(typ)
		if len(examples) == 0 {
			t.Errorf("%v has no examples", typ)
		}
		pattern := regexp.MustCompile(how.pattern)
		for _, e := range examples {
			if !pattern.MatchString(e) {
				t.Errorf("%v: the pattern %s does not take %q", typ, how.pattern, e)
			}
			if err := unmarshal(typ, e); err != nil {
				t.Errorf("%v does not take its example %q: %v", typ, e, err)
			}
		}
		if unmarshal(typ, "nonsense") == nil || !how.words && pattern.MatchString("nonsense") {
			t.Errorf("%v takes nonsense", typ)
		}
	}
}
