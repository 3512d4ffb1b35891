package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page is the run of the suite as it is documented.
type page struct {
	began    time.Time
	ordeal   string
	versions map[string]string
	missing  []string
	results  []*result
	counts   []*counted
}

// held reports whether every case holds; without a case nothing does.
func (p *page) held() bool {
	for _, r := range p.results {
		if !r.passes() {
			return false
		}
	}
	for _, r := range p.counts {
		if !r.passes() {
			return false
		}
	}
	return len(p.results)+len(p.counts) > 0
}

// summary is the end of what is printed.
func (p *page) summary(w io.Writer) error {
	held, tries := 0, 0
	for _, r := range p.results {
		if r.passes() {
			held++
		}
		tries += len(r.attempts)
	}
	for _, r := range p.counts {
		if r.passes() {
			held++
		}
		tries++
	}
	_, err := fmt.Fprintf(w, "\n%d of %d cases hold, after %d attempts and %v\n",
		held, len(p.results)+len(p.counts), tries, time.Since(p.began).Round(time.Second))
	if err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	return nil
}

// write writes the document.
func (p *page) write(ctx context.Context, path string) error {
	var b bytes.Buffer
	b.WriteString(introduction)
	fmt.Fprintf(&b, "- Date: %s\n", p.began.UTC().Format("2006-01-02 15:04 UTC"))
	fmt.Fprintf(&b, "- Machine: %s, %d processors for all processes together, %s/%s, %s\n", cpuModel(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(&b, "- Ordeal: %s\n", version(ctx, p.ordeal))
	for _, name := range slices.Sorted(maps.Keys(p.versions)) {
		fmt.Fprintf(&b, "- %s: %s\n", name, p.versions[name])
	}
	for _, m := range p.missing {
		fmt.Fprintf(&b, "- Not run: %s\n", m)
	}
	if load := loadAverage(); load != "" {
		fmt.Fprintf(&b, "- Load average of the machine at the end (1, 5 and 15 minutes): %s\n", load)
	}
	if err := p.summary(&b); err != nil {
		return err
	}
	p.overview(&b)
	for _, r := range p.results {
		r.document(&b)
	}
	for _, r := range p.counts {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```text\n%s```\n", r.c.name, sentence(r.c.about), strings.TrimLeft(r.table(), "\n"))
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// overview is a table of what each tool says of p99, and what is true of its run.
func (p *page) overview(b *bytes.Buffer) {
	if len(p.results) == 0 {
		return
	}
	tools := []string{"vegeta", "ghz", "ghz-async", "k6", "wrk"}
	fmt.Fprintf(b, "\np99 as each reports it, and in brackets the truth of its own run (of wrk, which has no schedule, that of its calls):\n\n")
	fmt.Fprintf(b, "| case | holds | attempts | Ordeal | %s |\n|%s\n", strings.Join(tools, " | "), strings.Repeat(" --- |", len(tools)+4))
	for _, r := range p.results {
		word := map[bool]string{true: "yes", false: "**no**"}[r.passes()]
		a := r.last().calls
		cells := []string{r.c.name, word, strconv.Itoa(len(r.attempts)), cell(a.response, a.trueResponse)}
		for _, name := range tools {
			text := ""
			for _, peer := range r.peers {
				if peer.name == name && peer.err == nil {
					text = cell(peer.figures, peer.truth)
				}
			}
			cells = append(cells, text)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

// cell is a p99 and its truth.
func cell(said, truth figures) string { return fmt.Sprintf("%v (%v)", said.at[2], truth.at[2]) }

func (r *result) document(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", r.c.name, sentence(r.c.about))
	if r.c.why != "" {
		fmt.Fprintf(b, "%s\n", r.c.why)
	}
	fmt.Fprintf(b, "\n```text\n%s```\n", strings.TrimLeft(r.table(), "\n"))
	// The address and what makes a large message large are of no interest.
	scenario := strings.ReplaceAll(r.c.scenario("ADDR"), largeBody(), "...")
	commands := append(strings.Split(scenario, "\n"), "ordeal run scenario.yaml", "")
	for _, p := range r.peers {
		commands = append(commands, p.commands...)
	}
	text := strings.TrimSpace(strings.Join(commands, "\n"))
	fmt.Fprintf(b, "\n<details><summary>commands</summary>\n\n```text\n%s\n```\n\n</details>\n", text)
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// cpuModel is what Linux calls the processor.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor not known"
	}
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor not known"
}

// loadAverage is what Linux says of how busy the machine is.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(text))
	if err != nil || len(words) < 3 {
		return ""
	}
	return strings.Join(words[:3], ", ")
}

// version asks the ordeal binary.
func version(ctx context.Context, binary string) string {
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return "version not known"
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first
}
