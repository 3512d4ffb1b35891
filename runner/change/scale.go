package change

import (
	"context"
	"fmt"
	"regexp"
)

// Scale says how many Pods a Deployment is to have. An autoscaler of it may say
// otherwise soon after.
type Scale struct {
	Deployment string `yaml:"deployment" required:"true" doc:"the Deployment"`
	Replicas   int    `yaml:"replicas" required:"true" doc:"how many Pods it is to have"`
}

// mostReplicas bounds a Deployment: more is a slip of the pen.
const mostReplicas = 1000

// Validate reports a number that makes no sense.
func (s *Scale) Validate(bad func(field, format string, args ...any)) {
	checkName(bad, "deployment", s.Deployment)
	if s.Replicas < 0 || s.Replicas > mostReplicas {
		bad("replicas", "want 0 to %d, not %d", mostReplicas, s.Replicas)
	}
}

func (s *Scale) String() string {
	return fmt.Sprintf("scale of Deployment %s: to %d", s.Deployment, s.Replicas)
}

func (s *Scale) object() Object { return deployment(s.Deployment) }

func (s *Scale) make(ctx context.Context, c Cluster) error {
	return c.Scale(ctx, s.Deployment, s.Replicas)
}

// objectName is what Kubernetes takes for a name.
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

func checkName(bad func(field, format string, args ...any), field, name string) {
	if !objectName.MatchString(name) {
		bad(field, "%q cannot name a %s: want small letters, digits, - and .", name, field)
	}
}
