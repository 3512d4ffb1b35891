package verdict

// Expect is one expectation of a scenario: exactly one of its kinds is set.
type Expect struct {
	Latency      *Latency      `yaml:"latency" oneof:"kind" doc:"response or service times of a load, by percentile"`
	Errors       *Errors       `yaml:"errors" oneof:"kind" doc:"calls of a load that ended badly, as a share or a count"`
	Rate         *Rate         `yaml:"rate" oneof:"kind" doc:"how much of the planned load was really offered"`
	Availability *Availability `yaml:"availability" oneof:"kind" doc:"share of good calls against an objective, with its error budget"`
	Recovery     *Recovery     `yaml:"recovery" oneof:"kind" doc:"time from the heal of a fault until a load is back at its steady level"`
	Arrivals     *Arrivals     `yaml:"arrivals" oneof:"kind" doc:"calls that reached a link or a target"`
	Metric       *Metric       `yaml:"metric" oneof:"kind" doc:"a scraped series against a limit"`
	Target       *Target       `yaml:"target" oneof:"kind" doc:"whether a target stayed alive, and how often it was started again"`
	Breaker      *Breaker      `yaml:"breaker" oneof:"kind" doc:"a circuit breaker, property by property, from the outside"`
	Rollout      *Rollout      `yaml:"rollout" oneof:"kind" doc:"a Deployment that gets a new template, or a Service that is switched: what becomes of the calls, and of its bounds"`
	HPA          *HPA          `yaml:"hpa" oneof:"kind" doc:"an autoscaler of Kubernetes: how soon, how far and how steadily it scales, and whether its algorithm explains each step"`
}

// Check is the kind that is set, nil when none is.
func (e *Expect) Check() Check {
	switch {
	case e.Latency != nil:
		return e.Latency
	case e.Errors != nil:
		return e.Errors
	case e.Rate != nil:
		return e.Rate
	case e.Availability != nil:
		return e.Availability
	case e.Recovery != nil:
		return e.Recovery
	case e.Arrivals != nil:
		return e.Arrivals
	case e.Metric != nil:
		return e.Metric
	case e.Target != nil:
		return e.Target
	case e.Breaker != nil:
		return e.Breaker
	case e.Rollout != nil:
		return e.Rollout
	case e.HPA != nil:
		return e.HPA
	}
	return nil
}
