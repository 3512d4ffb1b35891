package change

import "context"

// Undo takes a Deployment back to the template before the present one.
type Undo struct {
	Deployment string `yaml:"deployment" required:"true" doc:"the Deployment"`
}

// Validate reports a name that no Deployment can have.
func (u *Undo) Validate(bad func(field, format string, args ...any)) {
	checkName(bad, "deployment", u.Deployment)
}

func (u *Undo) String() string { return "undo of Deployment " + u.Deployment }

func (u *Undo) object() Object { return deployment(u.Deployment) }

func (u *Undo) make(ctx context.Context, c Cluster) error { return c.Undo(ctx, u.Deployment) }
