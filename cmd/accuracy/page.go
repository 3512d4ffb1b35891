package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"maps"
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
	fmt.Fprintf(&b, "\n```text\n")
	if err := p.summary(&b); err != nil {
		return err
	}
	b.WriteString("```\n")
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

func (r *result) document(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", r.c.name, sentence(r.c.about))
	if r.c.why != "" {
		fmt.Fprintf(b, "%s\n", r.c.why)
	}
	fmt.Fprintf(b, "\n```text\n%s```\n", strings.TrimLeft(r.table(), "\n"))
	var commands []string
	for _, p := range r.peers {
		commands = append(commands, p.commands...)
	}
	if len(commands) > 0 {
		fmt.Fprintf(b, "\n<details><summary>commands</summary>\n\n```text\n%s\n```\n\n</details>\n", strings.Join(commands, "\n"))
	}
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

// version asks the ordeal binary.
func version(ctx context.Context, binary string) string {
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return "version not known"
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first
}

const introduction = `# Accuracy

<!-- Written by "make accuracy". Do not edit. -->

Is what Ordeal reports what happened? Each case runs it against a target that says of every call when it arrived, what was
done to it, and when its answer was handed to the kernel. What every call took follows from that and from the schedule, and
is compared with what Ordeal reports. Other load generators run the same case against the same program, each with a target
of its own, and beside each stands the truth of its own run.

## How the truth is worked out

- **One clock.** The target's log is on the machine's monotonic clock. Evidence has offsets from a base whose wall clock is
  recorded; both clocks are read together 20 times a second during the run, which ties the base to the monotonic clock. Every
  call proves it: it must arrive after it was sent and be done after it was answered. The shortest ways are below each table.
- **Response time** of call n: from the time at which the schedule has call n to the moment at which the last bytes of its
  answer were handed to the kernel (gRPC: to the transport), or its connection was reset. The schedule is worked out anew here.
- **A call that times out** ends when the client gives up: its time-out after it was sent, which the target knows by the
  call's arrival. So its response time is that and whatever it had waited to be sent.
- **A call that was never issued**, because the run ended first, is in no figure on either side, and is counted.
- **A message** of a server stream: from the message before it (the first: from the call's arrival) to its own. Of a
  bidirectional stream: from when it was due by its interval, counted from the first, to its answer. Of a client stream: from
  when it was due to when the stream took it. The messages of that case are larger than what a stream takes ahead of its
  receiver, so it takes one when the target begins to receive the one before, or, where the target waits for it already, as soon
  as it comes.
- **Peers** send calls without a number: the i-th to arrive is the i-th of the schedule, which begins with the first arrival (or
  earlier, if the first was held up: no call comes before its time, so at the earliest start that the first fifth suggests).
- **The rule**: p50, p90, p99, p99.9 and the maximum of the response time, as Ordeal reports them from its histogram, lie
  within 2 % or 1 ms of the truth, whichever is more. A percentile needs ten values beyond it; one that the truth has and the
  report does not is a failure, and so is any difference in how many calls there were and how they ended. A case that fails
  is run again, at most twice, and every attempt is shown.
- **The control**: in the cases that say so, service times are judged as if they were response times, and must fail.

Service time is from the actual send. It is what most tools call latency, and it is blind to waiting before the send.

## This run

`
