package verdict

import (
	"encoding/json"

	"ordeal/runner/evidence"
)

// podLife is what of a Pod says how often its containers were started again.
type podLife struct {
	Status struct {
		ContainerStatuses []struct {
			Name         string `json:"name"`
			RestartCount int    `json:"restartCount"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// restarts is how often a container had been started again when it was seen
// first, and last.
type restarts struct{ first, last int }

// pod follows a Pod of the target. A Pod that takes the place of another is no
// restart.
func (l *life) pod(o *evidence.Object) {
	if o == nil || o.Kind != "Pod" {
		return
	}
	var p podLife
	if json.Unmarshal(o.Data, &p) != nil {
		return // what cannot be read says nothing, and does not make it seen
	}
	l.seen = true
	for _, c := range p.Status.ContainerStatuses {
		key := o.UID + "/" + c.Name
		r, known := l.again[key]
		if !known {
			r.first = c.RestartCount
		}
		r.last = max(r.last, c.RestartCount)
		l.again[key] = r
	}
}
