package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is one thing that is wrong with a scenario, with its place.
type Error struct {
	File   string
	Line   int    // from 1
	Column int    // from 1, in characters
	Width  int    // characters that the fault covers, at least 1
	Source string // the source line
	Msg    string // what is wrong
	Hint   string // what was expected, or the nearest name; may be empty
}

// Summary is the error in one line, without the source.
func (e *Error) Summary() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Error is the summary with the source line and a caret under the place.
func (e *Error) Error() string {
	if strings.TrimSpace(e.Source) == "" {
		return e.Summary()
	}
	source, column := excerpt(e.Source, e.Column)
	number := fmt.Sprint(e.Line)
	gap := strings.Repeat(" ", len(number))
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s%s", e.Summary(), number, source, gap,
		strings.Repeat(" ", column-1), strings.Repeat("^", caretWidth(source, column, e.Width)))
}

// excerptWidth bounds the source shown for one error, in characters.
const excerptWidth = 100

// excerpt makes a source line fit to be shown: tabs and control characters
// become spaces and dots, and of a long line only the part around the column is
// kept. It returns the column within what is shown.
func excerpt(line string, column int) (string, int) {
	runes := []rune(line)
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			runes[i] = '·'
		}
	}
	column = min(max(column, 1), len(runes)+1)
	if len(runes) <= excerptWidth {
		return strings.TrimRight(string(runes), " "), column
	}
	from := min(max(0, column-1-excerptWidth/2), len(runes)-excerptWidth)
	to := from + excerptWidth
	shown := append([]rune(nil), runes[from:to]...)
	if from > 0 {
		shown[0] = '…'
	}
	if to < len(runes) {
		shown[len(shown)-1] = '…'
	}
	return string(shown), column - from
}

// caretWidth keeps the carets within the line that is shown.
func caretWidth(source string, column, width int) int {
	return max(1, min(width, utf8.RuneCountInString(source)-column+1))
}

// maxErrors is how many errors are kept; a file with more is not a scenario.
const maxErrors = 200

// shownErrors is how many errors Errors.Error shows in full.
const shownErrors = 20

// Errors is everything that is wrong with a scenario, in the order of the file.
type Errors []*Error

// Error shows the first errors in full and says how many more there are.
func (es Errors) Error() string {
	var b strings.Builder
	for i, e := range es {
		if i == shownErrors {
			fmt.Fprintf(&b, "\nand %d more", len(es)-shownErrors)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap gives the errors one by one to errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// source is a scenario's text, for error excerpts.
type source struct {
	file  string
	lines []string
}

// newSource splits the text as YAML does: at LF, CR LF and CR.
func newSource(file string, text []byte) *source {
	s := strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n")
	return &source{file: file, lines: strings.Split(strings.ReplaceAll(s, "\r", "\n"), "\n")}
}

// from is the rest of the line at a place.
func (s *source) from(p place) string {
	if p.line < 1 || p.line > len(s.lines) {
		return ""
	}
	line := []rune(s.lines[p.line-1])
	if p.column < 1 || p.column > len(line) {
		return ""
	}
	return string(line[p.column-1:])
}

// errorAt makes an error, with its place kept within the text.
func (s *source) errorAt(p place, msg, hint string) *Error {
	line := min(max(p.line, 1), len(s.lines))
	text := s.lines[line-1]
	column := min(max(p.column, 1), utf8.RuneCountInString(text)+1)
	return &Error{File: s.file, Line: line, Column: column, Width: max(p.width, 1), Source: text, Msg: msg, Hint: hint}
}

// sortErrors puts errors in the order of the file and drops repetitions.
func sortErrors(es Errors) Errors {
	slices.SortStableFunc(es, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.CompactFunc(es, func(a, b *Error) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Msg == b.Msg
	})
}
