package scenarios

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// place is a span of one source line, counted in characters from 1.
type place struct{ line, column, width int }

// nodeKind is the shape of a YAML value.
type nodeKind int

const (
	scalarNode nodeKind = iota
	mappingNode
	listNode
)

// String names the shape as errors do.
func (k nodeKind) String() string {
	return [...]string{"a single value", "a mapping", "a list"}[k]
}

// node is one YAML value with its place. What a scalar means is left to the
// type that it is decoded into, so only its text is kept.
type node struct {
	place
	kind    nodeKind
	text    string  // of a scalar
	quoted  bool    // a scalar in quotes, or a block scalar: always text
	entries []entry // of a mapping, in the order of the file
	items   []*node // of a list
	owner   *place  // the key that it is the value of, or nil
}

// head is where the value as a whole is spoken of: its key, if it has one.
func (n *node) head() place {
	if n.owner != nil {
		return *n.owner
	}
	return n.place
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    place
	value *node
}

// null reports whether nothing is given: an empty plain scalar, ~ or null.
func (n *node) null() bool {
	return n.kind == scalarNode && !n.quoted && (n.text == "" || n.text == "~" || n.text == "null")
}

// get returns the value of a key, or nil.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// placeOf is where a field of a mapping stands: its value, or its key where the
// value is more than one word; the mapping itself where the key is not there. A
// field within a field is named with a dot, as in "tuning.breaker", and an item
// of a list by its number from 0.
func (n *node) placeOf(field string) place {
	if n.kind == scalarNode {
		return n.place
	}
	for _, e := range n.entries {
		switch {
		case e.key != field:
		case e.value.kind == scalarNode && !e.value.null() && e.value.line == e.at.line:
			return e.value.place
		default:
			return e.at
		}
	}
	outer, inner, deeper := strings.Cut(field, ".")
	if n.kind == listNode {
		if i, err := strconv.Atoi(outer); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i].placeOf(inner)
		}
	}
	if deeper && n.get(outer) != nil {
		return n.get(outer).placeOf(inner)
	}
	return n.head()
}

// got names the value for an error: `got "5"`, `got a list`.
func (n *node) got() string {
	if n.null() {
		return "nothing"
	}
	if n.kind != scalarNode {
		return n.kind.String()
	}
	text := n.text
	if utf8.RuneCountInString(text) > 40 {
		text = string([]rune(text)[:40]) + "…"
	}
	return quote(text)
}
