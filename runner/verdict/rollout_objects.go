package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// stage is what the watches saw of Deployments, ReplicaSets, Pods and Services,
// from the beginning to a moment, as it came.
type stage struct {
	deployments, sets, pods, services []sighting
}

// sighting is an object at a moment.
type sighting struct {
	at   time.Duration
	gone bool // it was deleted
	object
}

// object is what the judgement of a change needs to know of an object, whatever
// its kind.
type object struct {
	Metadata struct {
		Name              string            `json:"name"`
		UID               string            `json:"uid"`
		Generation        int64             `json:"generation"`
		Labels            map[string]string `json:"labels"`
		Annotations       map[string]string `json:"annotations"`
		DeletionTimestamp *string           `json:"deletionTimestamp"`
		OwnerReferences   []struct {
			Kind, Name, UID string
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		Replicas *int            `json:"replicas"` // of a Deployment; 1 where absent
		Selector json.RawMessage `json:"selector"`
		Strategy struct {
			Type          string `json:"type"`
			RollingUpdate *struct {
				MaxUnavailable *PodShare `json:"maxUnavailable"`
				MaxSurge       *PodShare `json:"maxSurge"`
			} `json:"rollingUpdate"`
		} `json:"strategy"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64  `json:"observedGeneration"`
		Replicas           int    `json:"replicas"`
		UpdatedReplicas    int    `json:"updatedReplicas"`
		AvailableReplicas  int    `json:"availableReplicas"`
		Phase              string `json:"phase"` // of a Pod
		Conditions         []struct {
			Type, Status string
		} `json:"conditions"`
	} `json:"status"`
}

// readStage reads what was seen until a moment.
func readStage(run *evidence.Run, until time.Duration) (st *stage, why string) {
	st = &stage{}
	for _, e := range run.Events {
		if e.Kind != evidence.ObjectSeen || e.Object == nil || e.At > until {
			continue
		}
		var into *[]sighting
		switch e.Object.Kind {
		case "Deployment":
			into = &st.deployments
		case "ReplicaSet":
			into = &st.sets
		case "Pod":
			into = &st.pods
		case "Service":
			into = &st.services
		default:
			continue
		}
		seen := sighting{at: e.At, gone: e.Object.Action == "deleted"}
		if err := json.Unmarshal(e.Object.Data, &seen.object); err != nil {
			return nil, fmt.Sprintf("what was seen of %s %s at %s cannot be read: %v", e.Object.Kind, e.Object.Name, formatDuration(e.At), err)
		}
		*into = append(*into, seen)
	}
	if len(st.pods) == 0 {
		return nil, "nothing was seen of any Pod: nobody watched the cluster"
	}
	return st, ""
}

// wanted is how many Pods a Deployment wants.
func (o object) wanted() int {
	if o.Spec.Replicas == nil {
		return 1
	}
	return *o.Spec.Replicas
}

// ownedBy reports whether an object was made by another.
func (o object) ownedBy(kind, name string) bool {
	for _, owner := range o.Metadata.OwnerReferences {
		if owner.Kind == kind && owner.Name == name {
			return true
		}
	}
	return false
}

// active reports whether a Pod counts: it is not on its way out, and has not ended.
func (s sighting) active() bool {
	return !s.gone && s.Metadata.DeletionTimestamp == nil && s.Status.Phase != "Succeeded" && s.Status.Phase != "Failed"
}

// ready reports whether a Pod takes calls.
func (s sighting) ready() bool {
	if !s.active() {
		return false
	}
	for _, c := range s.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// PodShare is a number of Pods, or a share of those wanted: "1", "25%".
type PodShare struct {
	number int
	share  float64 // of one; where it is not 0 the number does not count
	text   string
}

// UnmarshalText reads a number or a share.
func (p *PodShare) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n > 1000 {
			return fmt.Errorf("%q: want a number of Pods, or a whole share such as \"25%%\"", text)
		}
		*p = PodShare{share: float64(n) / 100, text: text}
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("%q: want a number of Pods, or a whole share such as \"25%%\"", text)
	}
	*p = PodShare{number: int(n), text: text}
	return nil
}

// UnmarshalJSON reads what the API says: a number, or a share as text.
func (p *PodShare) UnmarshalJSON(b []byte) error {
	return p.UnmarshalText([]byte(strings.Trim(string(b), `"`)))
}

// MarshalText writes it as UnmarshalText reads it.
func (p PodShare) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String writes it as it was given.
func (p PodShare) String() string {
	if p.text == "" {
		return "0"
	}
	return p.text
}

// Examples are texts that are accepted.
func (PodShare) Examples() []string { return []string{"1", "25%"} }

// Arithmetic with shares of one goes wrong by less than this.
const slip = 1e-9

// down is how many Pods it is of those wanted, rounded down as Kubernetes does for
// what may be unavailable.
func (p PodShare) down(wanted int) int {
	if p.share == 0 {
		return p.number
	}
	return int(math.Floor(p.share*float64(wanted) + slip))
}

// up is how many Pods it is of those wanted, rounded up as Kubernetes does for a
// surge.
func (p PodShare) up(wanted int) int {
	if p.share == 0 {
		return p.number
	}
	return int(math.Ceil(p.share*float64(wanted) - slip))
}
