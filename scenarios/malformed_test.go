package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// Each file in testdata/malformed is a scenario with something wrong, and what
// is said about it. The one named sound is what they were made from.
func TestMalformedScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/malformed/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse("shop.yaml", bytes.NewReader(a.Files[0].Data))
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			}
			if (name == "sound") != (err == nil) {
				t.Errorf("error: %v", err)
			}
			for _, e := range asErrors(err) {
				if e.Line < 1 || e.Column < 1 || e.File != "shop.yaml" || e.Msg == "" {
					t.Errorf("an error without its place: %+v", e)
				}
			}
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func asErrors(err error) Errors {
	var es Errors
	errors.As(err, &es)
	return es
}
