package reports

import (
	"encoding/json"
	"io"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// JSON writes report.json: the Document.
func JSON(w io.Writer, run *evidence.Run, j verdict.Judgement) error {
	d, err := Build(run, j)
	if err != nil {
		return err
	}
	// A list that is empty is [], never null, for those who read it without a schema.
	if d.Judgement.Checks == nil {
		d.Judgement.Checks = []verdict.Verdict{}
	}
	if d.Judgement.Validity == nil {
		d.Judgement.Validity = []verdict.Verdict{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
