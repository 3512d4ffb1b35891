package reports

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"ordeal/runner/verdict"
)

// Markdown writes summary.md, for the summary page of a CI job: the verdicts
// and the key figures.
func Markdown(w io.Writer, d *Document) error {
	j := d.Judgement
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n", symbol(j.Status), word(j.Status), markdown(d.Run.Scenario))
	fmt.Fprintf(&b, "%s.\n\n", upperFirst(headline(j)))
	if o := d.outcome(); o != "" {
		fmt.Fprintf(&b, "> %s\n\n", markdown(o))
	}
	markdownVerdicts(&b, "Expectation", j.Checks)
	markdownVerdicts(&b, "The run itself", problems(j.Validity))
	for _, l := range d.Loads {
		markdownLoad(&b, l)
	}
	if d.Generator != nil {
		fmt.Fprintf(&b, "Generator: %s.\n\n", markdown(d.Generator.words()))
	}
	if len(d.Faults) > 0 {
		b.WriteString("| Fault | Phase | Touched |\n| --- | --- | --- |\n")
		for _, f := range d.Faults {
			touched := f.touchedWords()
			if f.Error != "" {
				touched += "; " + f.Error
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", markdown(f.Fault), markdown(f.Phase), markdown(touched))
		}
		b.WriteString("\n")
	}
	for _, line := range d.clusterWords() {
		fmt.Fprintf(&b, "- %s\n", markdown(line))
	}
	if len(d.clusterWords()) > 0 {
		b.WriteString("\n")
	}
	for _, warning := range d.Warnings {
		fmt.Fprintf(&b, "- warning: %s\n", markdown(warning))
	}
	if len(d.Warnings) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "<sub>%s · seed %d · %s · %d CPUs · ordeal %s</sub>\n", markdown(d.Run.ID), d.Run.Seed,
		span(d.Run.End-d.Run.Start), d.Run.Host.CPUs, markdown(d.Run.Build.Version))
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownVerdicts(b *strings.Builder, title string, vs []verdict.Verdict) {
	if len(vs) == 0 {
		return
	}
	fmt.Fprintf(b, "| | %s | Measured | Limit | Margin |\n| --- | --- | ---: | ---: | ---: |\n", title)
	for _, v := range vs {
		name := markdown(v.Name)
		if inWords(v) {
			name += "<br>" + markdown(v.Measured)
		}
		if v.Status != verdict.Pass && v.Why != "" {
			name += "<br>" + markdown(v.Why)
		}
		for _, line := range openParts(v) {
			name += "<br>" + markdown(line)
		}
		fmt.Fprintf(b, "| %s&nbsp;%s | %s | %s | %s | %s |\n", symbol(v.Status), word(v.Status), name,
			markdown(measuredFigure(v)), markdown(v.Limit), markdown(v.Margin))
	}
	b.WriteString("\n")
}

func markdownLoad(b *strings.Builder, l Load) {
	fmt.Fprintf(b, "**%s**: %s, %s\n\n", markdown(l.Name), markdown(l.Call), markdown(l.model()))
	if len(l.Phases) == 0 {
		b.WriteString("No phase was begun.\n\n")
		return
	}
	b.WriteString("| Phase | Calls | Rate | p50 | p90 | p99 | max | Errors |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, f := range l.Phases {
		errs := thousands(f.Errors)
		if f.Errors > 0 {
			errs += " (" + percent(f.ErrorRatio()) + ")"
		}
		if c := classWords(f); c != "" {
			errs += "<br>" + markdown(c)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", markdown(f.Phase), thousands(f.Calls), perSecond(f.Rate),
			optional(f.Response.P50), optional(f.Response.P90), optional(f.Response.P99), optional(f.Response.Max), errs)
		if f.Messages != nil {
			m := messageFigures(f)
			unanswered := unansweredWords(f)
			if unanswered != "" {
				unanswered += " "
			}
			fmt.Fprintf(b, "| %s, messages | %s | %s | %s | %s | %s | %s | %s|\n", markdown(f.Phase), thousands(m.Calls), perSecond(m.Rate),
				optional(m.Response.P50), optional(m.Response.P90), optional(m.Response.P99), optional(m.Response.Max), unanswered)
		}
	}
	b.WriteString("\n")
	for _, s := range []string{l.sentWords(), l.untoldWords(), l.messageWords()} {
		if s != "" {
			fmt.Fprintf(b, "%s.\n", strings.TrimSuffix(markdown(upperFirst(s)), "."))
		}
	}
	b.WriteString("\n")
}

// markdown escapes text so that it is shown as it is: no table is broken, no
// link, tag, mention or emphasis comes of it.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@':
			b.WriteString("&#64;")
		case '|':
			b.WriteString("&#124;") // even a backslash before it cannot undo this one
		case '`':
			b.WriteString("&#96;")
		case '\\', '*', '_', '[', ']', '#', '~', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	// A bare address would become a link.
	return strings.ReplaceAll(b.String(), "://", "&#58;//")
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}
