package reports

import (
	"strings"
	"unicode/utf8"
)

// column is one column of a table on a terminal.
type column struct {
	title string
	right bool // aligned to the right
	min   int  // as wide as this in any case
	max   int  // cells longer than this are broken into lines; 0: never
}

// row is one row of a table, with lines that follow it across all columns.
type row struct {
	cells []string
	paint func(string) string // for the first cell; nil: as it is
	notes []string
}

// table lays out rows within width characters. The column grow takes what the
// others leave; its cells are broken into lines.
func table(b *strings.Builder, width int, columns []column, grow int, rows []row) {
	widths := columnWidths(width, columns, grow, rows)
	line := func(cells []string, paint func(string) string) {
		broken := make([][]string, len(cells))
		height := 1
		for i, c := range cells {
			broken[i] = wrap(c, widths[i])
			height = max(height, len(broken[i]))
		}
		for k := range height {
			var out strings.Builder
			for i := range cells {
				cell := ""
				if k < len(broken[i]) {
					cell = broken[i][k]
				}
				padded := pad(cell, widths[i], columns[i].right)
				if i == 0 && paint != nil && cell != "" {
					padded = paint(padded)
				}
				if i > 0 {
					out.WriteString("  ")
				}
				out.WriteString(padded)
			}
			b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
		}
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	if strings.Join(titles, "") != "" {
		line(titles, nil)
	}
	for _, r := range rows {
		line(r.cells, r.paint)
		indent := widths[0] + 2
		if len(columns) > 0 && grow == 0 {
			indent = 4
		}
		for _, n := range r.notes {
			for _, l := range wrap(n, width-indent) {
				b.WriteString(strings.Repeat(" ", indent) + l + "\n")
			}
		}
	}
}

func columnWidths(width int, columns []column, grow int, rows []row) []int {
	widths := make([]int, len(columns))
	taken := 2 * (len(columns) - 1)
	for i, c := range columns {
		widths[i] = max(c.min, letters(c.title))
		for _, r := range rows {
			widths[i] = max(widths[i], letters(r.cells[i]))
		}
		if c.max > 0 {
			widths[i] = min(widths[i], max(c.max, letters(c.title)))
		}
		if i != grow {
			taken += widths[i]
		}
	}
	widths[grow] = max(8, min(widths[grow], width-taken))
	return widths
}

func letters(s string) int { return utf8.RuneCountInString(s) }

func pad(s string, w int, right bool) string {
	space := strings.Repeat(" ", max(0, w-letters(s)))
	if right {
		return space + s
	}
	return s + space
}

// wrap breaks text into lines of at most w letters, between words where it can.
func wrap(s string, w int) []string {
	if letters(s) <= w || w < 1 {
		return []string{s}
	}
	var lines []string
	current := ""
	for _, f := range strings.Fields(s) {
		if current != "" && letters(current)+1+letters(f) <= w {
			current += " " + f
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		for letters(f) > w {
			r := []rune(f)
			lines, f = append(lines, string(r[:w])), string(r[w:])
		}
		current = f
	}
	if current != "" {
		lines = append(lines, current)
	}
	if lines == nil {
		return []string{""}
	}
	return lines
}

// cut shortens s to at most w letters.
func cut(s string, w int) string {
	if letters(s) <= w {
		return s
	}
	if w < 1 {
		return ""
	}
	return string([]rune(s)[:w-1]) + "…"
}
