package chaos

// Restart is a graceful rolling restart: one replica after the other is asked
// to end (SIGTERM), waited for, started again and waited for until ready.
// Healing waits for the last.
type Restart struct {
	Replica int `yaml:"replica" doc:"the one replica that is restarted, counted from 1; all in turn unless given"`
}

// Validate reports attributes that make no sense.
func (r *Restart) Validate(bad func(field, format string, args ...any)) {
	checkReplica(bad, r.Replica)
}

func (r *Restart) String() string { return "restart" + numbered(r.Replica) }

func (r *Restart) replica() int { return r.Replica }
