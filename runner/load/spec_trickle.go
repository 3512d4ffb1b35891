package load

import (
	"strings"
	"time"
)

// Trickle is a load of slow clients: each opens a connection, sends the headers
// of a request a byte at a time, and never ends them. A server that takes care
// of itself cuts them off.
//
// A call is over when the server cuts the connection (class reset), or answers
// (408 is http-4xx), or when hold is over and nothing of this happened: class
// timeout. So "all slow clients were cut off" is "no timeout".
type Trickle struct {
	Target string        `yaml:"target" required:"true" ref:"target" doc:"the target that is called"`
	Path   string        `yaml:"path" default:"/" doc:"the path that is asked for"`
	Every  time.Duration `yaml:"every" default:"500ms" doc:"the pause between two bytes"`
	Hold   time.Duration `yaml:"hold" default:"10s" doc:"how long a client goes on before it gives up"`
}

// Validate reports a trickle that cannot be.
func (t *Trickle) Validate(bad func(field, format string, args ...any)) {
	if t.Path != "" && !strings.HasPrefix(t.Path, "/") {
		bad("path", "want a path that starts with /, not %q", t.Path)
	}
	checkTime(bad, "every", t.Every)
	checkTime(bad, "hold", t.Hold)
}

func (t *Trickle) hold() time.Duration {
	if t.Hold > 0 {
		return t.Hold
	}
	return 10 * time.Second
}

func (t *Trickle) every() time.Duration {
	if t.Every > 0 {
		return t.Every
	}
	return 500 * time.Millisecond
}

func (t *Trickle) path() string {
	if t.Path != "" {
		return t.Path
	}
	return "/"
}
