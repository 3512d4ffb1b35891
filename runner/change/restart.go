package change

import "context"

// Restart replaces the Pods of a Deployment by new ones of the same template, by
// its own strategy.
type Restart struct {
	Deployment string `yaml:"deployment" required:"true" doc:"the Deployment"`
}

// Validate reports a name that no Deployment can have.
func (r *Restart) Validate(bad func(field, format string, args ...any)) {
	checkName(bad, "deployment", r.Deployment)
}

func (r *Restart) String() string { return "restart of Deployment " + r.Deployment }

func (r *Restart) object() Object { return deployment(r.Deployment) }

func (r *Restart) make(ctx context.Context, c Cluster) error { return c.Restart(ctx, r.Deployment) }
