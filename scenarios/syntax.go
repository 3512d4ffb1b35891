package scenarios

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a scenario file. The parser's time grows with the square of the
// tokens and its stack with the nesting, so both are bounded before it starts.
const (
	maxBytes  = 1 << 20
	maxTokens = 20_000
	maxFlow   = 64  // nested [ and {
	maxColumn = 200 // of a "- ", a "? " or a ":" in block style, which bounds its nesting
)

// readSource reads at most maxBytes.
func readSource(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	return text, nil
}

// parseYAML turns text into a tree. The tree is nil where there are errors.
func parseYAML(src *source, text []byte) (root *node, errs Errors) {
	defer func() {
		if r := recover(); r != nil {
			root, errs = nil, Errors{src.errorAt(place{1, 1, 1}, "this is not YAML that can be read", fmt.Sprint(r))}
		}
	}()
	if err := checkText(src, text); err != nil {
		return nil, Errors{err}
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(text), "\ufeff"))
	if errs := checkTokens(src, tokens); len(errs) > 0 {
		return nil, errs
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Errors{syntaxError(src, err)}
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			c := converter{src: src}
			root = c.node(doc.Body)
			return root, c.errs
		}
	}
	return nil, Errors{src.errorAt(place{1, 1, 1}, "the file is empty", `a scenario starts with "ordeal: v1"`)}
}

// checkText refuses what cannot be YAML at all: too much, not UTF-8, control
// characters.
func checkText(src *source, text []byte) *Error {
	if len(text) > maxBytes {
		return src.errorAt(place{1, 1, 1}, "the file is too large", "want at most 1 MiB")
	}
	line, column := 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return src.errorAt(place{line, column, 1}, fmt.Sprintf("byte 0x%02x is not UTF-8", text[i]), "want a file in UTF-8")
		case r == '\n', r == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			line, column = line+1, 0
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return src.errorAt(place{line, column, 1}, fmt.Sprintf("control character %U", r), `want it written as an escape in double quotes, such as "\x07"`)
		}
		column++
		i += size
	}
	return nil
}

// checkTokens refuses what the language leaves out of YAML, and nesting that
// would be too deep for the parser.
func checkTokens(src *source, tokens token.Tokens) (errs Errors) {
	bad := func(t *token.Token, msg, hint string) { errs = append(errs, src.errorAt(placeOfToken(t), msg, hint)) }
	flow, content := 0, false
	for i, t := range tokens {
		if i == maxTokens {
			bad(t, "the scenario is too long", fmt.Sprintf("want at most %d words and signs", maxTokens))
			return errs
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			if flow++; flow > maxFlow {
				bad(t, "too many brackets within each other", fmt.Sprintf("want at most %d", maxFlow))
				return errs
			}
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow == 0 && t.Position.Column > maxColumn {
				bad(t, "nested too far to the right", fmt.Sprintf("want it within %d columns", maxColumn))
				return errs
			}
		case token.LiteralType, token.FoldedType:
			// The parser takes "> 5" at the end of a file for an empty text.
			if at := placeOfToken(t); !blockHeader.MatchString(src.from(at)) {
				bad(t, "text does not start on the line of its | or >", `a limit is written in quotes, such as "> 99%"`)
			}
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			bad(t, "anchors and aliases are not part of the language", "write the value out")
		case token.TagType:
			bad(t, "tags are not part of the language", "write the plain value")
		case token.DirectiveType:
			bad(t, "directives are not part of the language", `a scenario starts with "ordeal: v1"`)
		case token.DocumentHeaderType:
			if content {
				bad(t, "a second document", "want one scenario in a file")
				return errs
			}
		case token.CommentType, token.DocumentEndType:
			continue
		}
		content = true
		if len(errs) >= maxErrors {
			return errs
		}
	}
	return errs
}

var blockHeader = regexp.MustCompile(`^[|>][-+0-9]*\s*(#.*)?$`)

// placeOfToken is where a token stands in the source.
func placeOfToken(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1, 1}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(t.Origin), "\n")
	return place{t.Position.Line, t.Position.Column, max(1, utf8.RuneCountInString(strings.TrimSpace(first)))}
}

// syntaxError keeps the parser's place and message.
func syntaxError(src *source, err error) *Error {
	var known yaml.Error
	if !errors.As(err, &known) {
		return src.errorAt(place{1, 1, 1}, "this is not YAML that can be read", err.Error())
	}
	msg, hint := known.GetMessage(), ""
	switch {
	case strings.Contains(msg, "cannot start any token") && strings.Contains(msg, "\t"):
		msg, hint = "a tab where indentation is wanted", "indent with spaces"
	case strings.Contains(msg, "reserved character"):
		hint = "write the text in quotes"
	case strings.Contains(msg, "must be specified"):
		hint = "is a comma or a closing bracket missing before this?"
	case strings.Contains(msg, "invalid header option"):
		hint = `a limit is written in quotes, such as "> 99%"`
	case strings.Contains(msg, "mapping value is not allowed"):
		hint = `text with ": " in it is written in quotes, and a mapping on one line in { }`
	}
	at := placeOfToken(known.GetToken())
	at.width = 1
	return src.errorAt(at, "not YAML: "+msg, hint)
}

// quote writes text for a message.
func quote(s string) string { return strconv.Quote(s) }

// converter turns the parser's tree into ours.
type converter struct {
	src  *source
	errs Errors
}

func (c *converter) bad(at place, msg, hint string) {
	if len(c.errs) < maxErrors {
		c.errs = append(c.errs, c.src.errorAt(at, msg, hint))
	}
}

func (c *converter) node(n ast.Node) *node {
	at := placeOfToken(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n, at)
	case *ast.SequenceNode:
		at.width = 1
		list := &node{place: at, kind: listNode}
		for _, item := range n.Values {
			list.items = append(list.items, c.node(item))
		}
		return list
	case *ast.LiteralNode:
		return &node{place: at, text: n.Value.Value, quoted: true}
	case *ast.NullNode:
		at.width = 1
		return &node{place: at}
	case ast.ScalarNode:
		return c.scalar(n.GetToken(), at)
	}
	c.bad(at, "this kind of YAML value is not part of the language", "want a single value, a mapping or a list")
	return &node{place: at}
}

// scalar keeps the text as written, so that 010 or 1_000 are not guessed at.
func (c *converter) scalar(t *token.Token, at place) *node {
	quoted := t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
	if !quoted && strings.Contains(t.Value, ": ") {
		c.bad(at, "a ':' within unquoted text", "is a comma missing before the key? otherwise write the text in quotes")
	}
	return &node{place: at, text: t.Value, quoted: quoted}
}

func (c *converter) mapping(n *ast.MappingNode, at place) *node {
	at.width = 1
	m := &node{place: at, kind: mappingNode}
	for i, v := range n.Values {
		key, ok := v.Key.(ast.ScalarNode)
		keyAt := placeOfToken(v.Key.GetToken())
		if i == 0 && !n.IsFlowStyle {
			m.place = keyAt
		}
		if !ok {
			c.bad(keyAt, "a key that is not a plain word", "want a key such as rate:")
			continue
		}
		value := c.node(v.Value)
		value.owner = &keyAt
		m.entries = append(m.entries, entry{key: key.GetToken().Value, at: keyAt, value: value})
	}
	return m
}
