package chaos

import (
	"fmt"
	"time"
)

// Kill ends the processes of a target at once (SIGKILL) and starts them again
// after a delay, as a supervisor would. Healing waits until all are ready.
type Kill struct {
	Restart time.Duration `yaml:"restart" doc:"how long a process stays dead before it is started again; until the end of the phase unless given"`
	Replica int           `yaml:"replica" doc:"the one replica that is killed, counted from 1; all unless given"`
}

// Validate reports attributes that make no sense.
func (k *Kill) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "restart", k.Restart)
	checkReplica(bad, k.Replica)
}

func (k *Kill) String() string {
	s := "kill"
	if k.Restart > 0 {
		s += ", restart after " + k.Restart.String()
	}
	return s + numbered(k.Replica)
}

func numbered(replica int) string {
	if replica == 0 {
		return ""
	}
	return fmt.Sprintf(", replica %d", replica)
}

func (k *Kill) replica() int { return k.Replica }
