// Package marked finds and kills processes by a variable in their environment, which they inherit whatever group or
// session they move to.
package marked

import "crypto/rand"

// New is a mark that no process carries yet, as NAME=VALUE.
func New(name string) string { return name + "=" + rand.Text() }
