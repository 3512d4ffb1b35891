package change

import (
	"context"
	"maps"
	"slices"
)

// Switch makes a Service select other Pods at once, as from the blue ones to the
// green.
type Switch struct {
	Service  string            `yaml:"service" required:"true" doc:"the Service"`
	Selector map[string]string `yaml:"selector" required:"true" doc:"the labels of its selector that get a new value; the others stay"`
}

// Validate reports a switch to nothing.
func (s *Switch) Validate(bad func(field, format string, args ...any)) {
	checkName(bad, "service", s.Service)
	if len(s.Selector) == 0 {
		bad("selector", "want the labels that get a new value, such as {version: green}")
	}
	for _, key := range slices.Sorted(maps.Keys(s.Selector)) {
		if s.Selector[key] == "" {
			bad("selector."+key, "want a value")
		}
	}
}

func (s *Switch) String() string { return "switch of Service " + s.Service + ": " + pairs(s.Selector) }

func (s *Switch) object() Object { return Object{Kind: "Service", Name: s.Service} }

func (s *Switch) make(ctx context.Context, c Cluster) error {
	_, err := c.Select(ctx, s.Service, s.Selector)
	return err
}
