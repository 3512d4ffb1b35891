package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// nearest returns the name that word was probably meant to be: the one at the
// least edit distance, if that is small for the length of the word.
func nearest(word string, names []string) (string, bool) {
	if len(word) > 64 {
		return "", false
	}
	best, least := "", 1+max(1, len([]rune(word))/3)
	for _, name := range names {
		if d := editDistance(strings.ToLower(word), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best, best != ""
}

// suggest says which name was probably meant or, failing that, which there are.
func suggest(word string, names []string) string {
	if name, ok := nearest(word, names); ok {
		return fmt.Sprintf("did you mean %q?", name)
	}
	return "want " + oneOf(names)
}

// oneOf lists names for a hint, sorted, and not too many.
func oneOf(names []string) string {
	const most = 24
	names = slices.Sorted(slices.Values(names))
	switch {
	case len(names) == 0:
		return "nothing here"
	case len(names) == 1:
		return names[0]
	case len(names) > most:
		return "one of " + strings.Join(names[:most], ", ") + ", …"
	}
	return "one of " + strings.Join(names, ", ")
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	older, prev := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(s); i++ {
		cur := make([]int, len(t)+1)
		cur[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, prev = prev, cur
	}
	return prev[len(t)]
}
