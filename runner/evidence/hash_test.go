package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerifyFindsWhatWasTouched(t *testing.T) {
	for name, c := range map[string]struct {
		touch func(dir string) error
		want  string
	}{
		"nothing": {func(string) error { return nil }, ""},
		"a report, written later": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "report.html"), []byte("x"), 0o644)
		}, ""},
		"one byte of a segment": {func(d string) error { return flip(filepath.Join(d, samplesDir, segmentName(1))) }, `"samples/000001.parquet" was changed`},
		"one byte of an event":  {func(d string) error { return flip(filepath.Join(d, eventsFile)) }, `"events.jsonl" was changed`},
		"the scenario": {func(d string) error {
			return os.WriteFile(filepath.Join(d, scenarioFile), []byte("ordeal: v1\nname: kinder\n"), 0o644)
		}, `"scenario.yaml" was changed`},
		"a segment removed": {func(d string) error { return os.Remove(filepath.Join(d, samplesDir, segmentName(3))) }, `"samples/000003.parquet" is missing`},
		"a message":         {func(d string) error { return flip(filepath.Join(d, messagesDir, segmentName(1))) }, `"messages/000001.parquet" was changed`},
		"messages added": {func(d string) error {
			return os.Link(filepath.Join(d, messagesDir, segmentName(1)), filepath.Join(d, messagesDir, segmentName(2)))
		}, `"messages/000002.parquet" was added`},
		"a segment added": {func(d string) error {
			return os.Link(filepath.Join(d, samplesDir, segmentName(1)), filepath.Join(d, samplesDir, segmentName(4)))
		}, `"samples/000004.parquet" was added`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := finishedRun(t)
			if err := c.touch(dir); err != nil {
				t.Fatal(err)
			}
			lines, err := mustOpen(t, dir).Verify()
			if err != nil {
				t.Fatal(err)
			}
			switch got := strings.Join(lines, "\n"); {
			case c.want == "" && got != "":
				t.Errorf("an untouched run: %q", got)
			case !strings.Contains(got, c.want):
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func flip(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text[len(text)/3] ^= 1
	return os.WriteFile(path, text, 0o644)
}
