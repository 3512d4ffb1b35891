package speed

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Document writes the study as a page of Markdown.
func (s *Study) Document(w io.Writer) error {
	var b strings.Builder
	s.introduction(&b)
	s.summary(&b)
	for _, o := range s.outcomes {
		o.section(&b)
	}
	s.commands(&b)
	for _, o := range s.outcomes {
		o.profiled(&b)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

func (s *Study) introduction(b *strings.Builder) {
	m := s.machine
	fmt.Fprintf(b, "# Ordeal beside other load generators\n\n")
	fmt.Fprintf(b, "Written by `make bench-peers`; figures are not edited by hand.\n\n")
	fmt.Fprintf(b, "- %s\n", m.at.Format("2006-01-02 15:04 UTC"))
	fmt.Fprintf(b, "- %s, %d processors, %s, %s\n", m.model, m.processors, m.kernel, m.golang)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.versions)) {
		list = append(list, name+" "+s.versions[name])
	}
	fmt.Fprintf(b, "- %s\n", strings.Join(list, "; "))
	for _, n := range s.conditions() {
		fmt.Fprintf(b, "- %s\n", n)
	}
	b.WriteString(`
How it is measured: every tool is run as its users run it and is looked at from outside, by the same means, in a window
within its run. The server counts the calls that arrive, in memory that it shares with the one who measures; the kernel
counts the processor time of the tool with all its threads. Starting up and reporting are not in the window. Memory is
the most that was resident up to the window's end. The p99 is what the tool says itself, over its whole run, and tools
mean different things by it. A server's percentage is of the processors that it may run on. Every round goes through all
tools and begins with another one. A ratio is the median of the ratios within each round, so that what happens to the
machine happens to both sides. A tool that ends early, ends with an error, reports a failed call or another number of
calls than arrived has no figures for that round; a ratio that half of the rounds or more do not have is not judged (?).

`)
}

func (s *Study) summary(b *strings.Builder) {
	b.WriteString("## What was reached\n\n")
	if s.busy() {
		b.WriteString(busyMachine + "\n\n")
	}
	var missed, open int
	for _, o := range s.outcomes {
		for _, v := range o.verdicts() {
			switch v.mark() {
			case "✗":
				missed++
				fmt.Fprintf(b, "- **Not reached**, %s: %s is %s, wanted %s.\n", o.title, v.name, v.ratio(), v.limit())
			case "≈":
				open++
				fmt.Fprintf(b, "- **Not told apart**, %s: %s is %s, wanted %s; at the limit of the server: %s.\n", o.title, v.name, v.ratio(), v.limit(), v.atLimit())
			case "?":
				open++
				fmt.Fprintf(b, "- **Not known**, %s: %s: %s.\n", o.title, v.name, v.ratio())
			}
		}
	}
	if missed+open == 0 {
		b.WriteString("Every target that was judged is reached.\n")
	} else if missed > 0 {
		b.WriteString("\nThe profiles at the end show what Ordeal spends its time on.\n")
	}
	b.WriteString("\n")
}

func (o outcome) section(b *strings.Builder) {
	fmt.Fprintf(b, "## %s\n\nServer: %s. Load: %s.\n\n", o.title, o.server, o.load())
	columns(b, o.head())
	for _, t := range o.tools {
		cells(b, o.row(t))
	}
	b.WriteString("\n")
	for _, n := range o.notes() {
		fmt.Fprintf(b, "- %s\n", strings.ReplaceAll(n, "*", `\*`))
	}
	if len(o.notes()) > 0 {
		b.WriteString("\n")
	}
	if len(o.targets) == 0 {
		return
	}
	columns(b, []string{"ordeal's", "ratio", "wanted", ""})
	for _, v := range o.verdicts() {
		cells(b, []string{v.name, v.ratio(), v.limit(), v.mark()})
	}
	b.WriteString("\n")
}

func columns(b *strings.Builder, names []string) {
	cells(b, names)
	b.WriteString("|" + strings.Repeat(" --- |", len(names)) + "\n")
}

func cells(b *strings.Builder, values []string) {
	fmt.Fprintf(b, "| %s |\n", strings.ReplaceAll(strings.Join(values, " | "), "*", `\*`))
}

func (s *Study) commands(b *strings.Builder) {
	fmt.Fprintf(b, "## The commands\n\n%s is the server's address. A file that was read before is not shown again.\n\n", anyAddr)
	shown := map[string]bool{}
	for _, o := range s.outcomes {
		fmt.Fprintf(b, "%s:\n\n", o.title)
		for _, c := range o.lines {
			fmt.Fprintf(b, "    %s\n", c.line)
		}
		b.WriteString("\n")
		for _, c := range o.lines {
			for _, name := range slices.Sorted(maps.Keys(c.files)) {
				content := strings.TrimRight(c.files[name], "\n")
				if shown[content] {
					continue
				}
				shown[content] = true
				fmt.Fprintf(b, "%s of %s:\n\n    %s\n\n", name, c.tool, strings.ReplaceAll(content, "\n", "\n    "))
			}
		}
	}
}

func (o outcome) profiled(b *strings.Builder) {
	if o.profile == "" {
		return
	}
	fmt.Fprintf(b, "## Where Ordeal's time goes: %s\n\nFrom a run of its own, `ordeal run --profile`, by function.\n\n    %s\n\n",
		o.title, strings.ReplaceAll(o.profile, "\n", "\n    "))
}

// The README has the ratios that are judged between these two lines.
const (
	blockStart = "<!-- peers: written by make bench-peers -->\n"
	blockEnd   = "<!-- end of peers -->\n"
)

// muchElse is how many processors others may use before it is said first of all.
const (
	muchElse    = 0.3
	busyMachine = "The machine was busy with other work meanwhile: read these with their ranges."
)

func (s *Study) busy() bool {
	return slices.ContainsFunc(s.outcomes, func(o outcome) bool { return o.busy().Median > muchElse })
}

// light is the same comparison against a server that is not the limit.
func (s *Study) light(o outcome) (outcome, bool) {
	i := slices.IndexFunc(s.outcomes, func(other outcome) bool { return other.key == o.key+"-light" })
	if i < 0 || len(s.outcomes[i].targets) != len(o.targets) {
		return outcome{}, false
	}
	return s.outcomes[i], true
}

// Readme puts the ratios of the study into the text of a README, between the
// two lines that mark their place.
func (s *Study) Readme(text string) (string, error) {
	before, rest, ok := strings.Cut(text, blockStart)
	if !ok {
		return "", fmt.Errorf("there is no line %q", strings.TrimSpace(blockStart))
	}
	_, after, ok := strings.Cut(rest, blockEnd)
	if !ok {
		return "", fmt.Errorf("there is no line %q", strings.TrimSpace(blockEnd))
	}
	var b strings.Builder
	columns(&b, []string{"Ordeal's", "ratio", "wanted", ""})
	open := false
	for _, o := range s.outcomes {
		if o.short == "" {
			continue
		}
		for i, v := range o.verdicts() {
			name := o.short + " " + v.name
			if light, ok := s.light(o); ok && v.mark() == "≈" {
				v, name = light.verdicts()[i], o.short+", light server, "+v.name
			}
			open = open || v.mark() == "≈"
			if !v.unjudged {
				cells(&b, []string{name, v.ratio(), v.limit(), v.mark()})
			}
		}
	}
	if open {
		b.WriteString("\n≈: the server was at its limit, which leaves open whether the target is reached.\n")
	}
	if s.busy() {
		b.WriteString("\n" + busyMachine + "\n")
	}
	return before + blockStart + b.String() + blockEnd + after, nil
}
