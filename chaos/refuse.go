package chaos

import "context"

// Refuse closes the port of a link, as when the process behind it is gone:
// connections that stand are reset and new ones are refused, until the very
// same port opens again. Refusals happen in the kernel, out of the proxy's
// sight: what it touched counts the connections cut.
type Refuse struct {
	Keep bool `yaml:"keep" doc:"leave connections that stand alone and refuse new ones only; off unless given"`
}

// Validate reports attributes that make no sense: there are none.
func (r *Refuse) Validate(func(field, format string, args ...any)) {}

func (r *Refuse) String() string {
	if r.Keep {
		return "refuse new connections"
	}
	return "refuse"
}

func (r *Refuse) leavesNoConnections() string {
	if r.Keep {
		return ""
	}
	return "every connection is cut and none is taken"
}

func (r *Refuse) begin(a *acting) func(*flow) stage {
	keep := r.Keep
	return func(f *flow) stage {
		if !keep && !f.conn.isGone() {
			a.touch(f.conn, 0)
			f.conn.abort()
		}
		return nil
	}
}

func (r *Refuse) closePorts(l *Link) { l.ports.refuse() }

func (r *Refuse) openPorts(ctx context.Context, l *Link) error { return l.ports.admit(ctx) }
