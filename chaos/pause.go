package chaos

// Pause stops the processes of a target (SIGSTOP), as when they hang: ports
// stay open, connections stand, nothing answers. Healing lets them go on
// (SIGCONT).
type Pause struct {
	Replica int `yaml:"replica" doc:"the one replica that is paused, counted from 1; all unless given"`
}

// Validate reports attributes that make no sense.
func (p *Pause) Validate(bad func(field, format string, args ...any)) { checkReplica(bad, p.Replica) }

func (p *Pause) String() string { return "pause" + numbered(p.Replica) }

func (p *Pause) replica() int { return p.Replica }
