package evidence

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestDocumentedColumnsAreThoseOfTheFiles holds docs/evidence.md against the
// schemas of what is written.
func TestDocumentedColumnsAreThoseOfTheFiles(t *testing.T) {
	text, err := os.ReadFile("../../docs/evidence.md")
	if err != nil {
		t.Fatal(err)
	}
	for dir, schema := range map[string]*parquet.Schema{
		samplesDir:  parquet.SchemaOf(sampleRow{}),
		messagesDir: parquet.SchemaOf(messageRow{}),
		seriesDir:   parquet.SchemaOf(pointRow{}),
	} {
		_, section, ok := strings.Cut(string(text), "## "+dir+"/*.parquet\n")
		if !ok {
			t.Errorf("docs/evidence.md has no section on %s", dir)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var documented [][2]string
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| \\S").FindAllStringSubmatch(section, -1) {
			documented = append(documented, [2]string{m[1], m[2]})
		}
		if len(documented) != len(schema.Fields()) {
			t.Errorf("%s: %d columns documented, %d written", dir, len(documented), len(schema.Fields()))
			continue
		}
		names := make(map[string]string)
		for _, f := range schema.Fields() {
			names[f.Name()] = typeName(f.Type())
		}
		for _, d := range documented {
			if names[d[0]] != d[1] {
				t.Errorf("%s: column %s is documented as %s, written as %q", dir, d[0], d[1], names[d[0]])
			}
		}
	}
	for i := range NumClasses {
		if !strings.Contains(string(text), classNames[i]) {
			t.Errorf("docs/evidence.md does not name the class %s", classNames[i])
		}
	}
}

func typeName(t parquet.Type) string {
	if t.LogicalType() != nil && t.LogicalType().Integer != nil && !t.LogicalType().Integer.IsSigned {
		return "UINT64"
	}
	switch t.Kind() {
	case parquet.Int64:
		return "INT64"
	case parquet.Double:
		return "DOUBLE"
	case parquet.ByteArray:
		return "STRING"
	}
	return t.String()
}
