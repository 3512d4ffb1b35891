package scenarios

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// minWidth is the least width that a plan is drawn in.
const minWidth = 60

// Describe writes what the plan would do: targets, links, the timeline as a
// drawing, the load with its planned calls, the hosts touched and the
// expectations in words, width columns wide (at least 60). It starts nothing.
func (p *Plan) Describe(w io.Writer, width int) error {
	d := &description{plan: p, width: max(width, minWidth)}
	d.head()
	d.cluster()
	d.targets()
	d.links()
	d.timeline()
	d.load()
	d.expect()
	d.notes()
	if _, err := io.WriteString(w, d.b.String()); err != nil {
		return fmt.Errorf("describe the plan: %w", err)
	}
	return nil
}

// description gathers the text of a plan.
type description struct {
	plan  *Plan
	width int
	b     strings.Builder
}

// line writes one line, without blanks at its end.
func (d *description) line(format string, args ...any) {
	d.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// section starts a part of the description.
func (d *description) section(title string) { d.line("\n%s", title) }

// entry writes a name and words about it, which go on below each other.
func (d *description) entry(name string, gutter int, words string) {
	for i, line := range wrap(words, d.width-gutter-4) {
		if i > 0 {
			name = ""
		}
		d.line("  %-*s  %s", gutter, name, line)
	}
}

func (d *description) head() {
	p := d.plan
	d.line("%s: %s in %s, seed %d", p.Name, span(p.Duration()), counted(len(p.Phases), "phase"), p.Seed)
	for _, line := range wrap(p.About, d.width-2) {
		d.line("  %s", line)
	}
	if len(p.Tags) > 0 {
		d.line("  tags: %s", strings.Join(p.Tags, ", "))
	}
}

func (d *description) targets() {
	d.section("Targets")
	gutter := 0
	for _, t := range d.plan.Targets {
		gutter = max(gutter, len(t.Name))
	}
	for _, t := range d.plan.Targets {
		words := t.String()
		if calls := calledBy(t); len(calls) > 0 {
			words += ", calls " + strings.Join(calls, ", ")
		}
		d.entry(t.Name, gutter, words)
	}
	for _, line := range wrap("hosts touched: "+d.hosts(), d.width-2) {
		d.line("  %s", line)
	}
}

// hosts says where load and faults go.
func (d *description) hosts() string {
	hosts := d.plan.Hosts()
	var needs []string
	if d.plan.CheckHosts(nil) != nil {
		needs = append(needs, "--allow-host")
	}
	if err := d.plan.CheckContext(nil); err != nil {
		hosts = append(hosts, "the Pods of context "+d.plan.Kubernetes.Context)
		needs = append(needs, "--allow-context "+d.plan.Kubernetes.Context)
	}
	if len(needs) == 0 {
		return strings.Join(hosts, ", ") + " (this machine only)"
	}
	return strings.Join(hosts, ", ") + " (beyond this machine: needs " + strings.Join(needs, " and ") + ")"
}

// cluster says what cluster is used, and what is applied to it.
func (d *description) cluster() {
	k := d.plan.Kubernetes
	if k == nil {
		return
	}
	d.section("Kubernetes")
	d.entry("cluster", 7, k.String())
	if k.Local != nil {
		var words []string
		settings := k.Local.Settings()
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			words = append(words, name+" "+settings[name])
		}
		d.entry("set to", 7, strings.Join(words, ", "))
	}
	if len(k.Apply) > 0 {
		d.entry("applied", 7, strings.Join(k.Apply, ", "))
	}
}

func (d *description) links() {
	if len(d.plan.Links) == 0 {
		return
	}
	d.section("Links (through a proxy for the whole run)")
	for _, l := range d.plan.Links {
		from := l.From
		if from == client {
			from = "client, the load generator,"
		}
		d.line("  %s -> %s", from, l.To)
	}
}

func (d *description) expect() {
	d.section("Expect")
	for i, e := range d.plan.Expects {
		d.entry(fmt.Sprintf("%d.", i+1), 2, fmt.Sprintf("%s: %v", kindOf(e), e.Check()))
	}
}

func (d *description) notes() {
	notes := d.plan.Notes()
	if len(notes) == 0 {
		return
	}
	d.section("Notes")
	for _, note := range notes {
		d.entry("-", 1, note)
	}
}

// wrap breaks text into lines of at most width characters, between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case runes(line)+1+runes(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func runes(s string) int { return len([]rune(s)) }

// span writes a duration without its zero parts: "1m", not "1m0s".
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// counted writes a number with its noun: "1 phase", "2 phases".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(int64(n)) + " " + noun
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
