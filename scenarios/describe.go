package scenarios

import (
	"fmt"
	"io"
)

// Describe writes what the plan would do, width columns wide. It starts nothing.
func (p *Plan) Describe(w io.Writer, width int) error {
	_, err := fmt.Fprintf(w, "%s: %v\n", p.Name, p.Duration())
	return err
}
