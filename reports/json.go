package reports

import (
	"encoding/json"
	"io"
)

// JSON writes report.json: the Document.
func JSON(w io.Writer, d *Document) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
