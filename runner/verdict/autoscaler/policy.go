package autoscaler

import (
	"math"
	"time"
)

// since adds up changes after a time.
func since(changes []stamped, at time.Time) int32 {
	var n int32
	for _, c := range changes {
		if c.at.After(at) {
			n += c.replicas
		}
	}
	return n
}

// before is how many replicas there were before the changes of a policy's period.
func (p Policy) before(s State, m Memory) int32 {
	from := s.At.Add(-p.Period)
	return s.Wanted - since(m.added, from) + since(m.removed, from)
}

// most is how many replicas the rules allow on the way up. Percent are rounded
// up, so that one replica can become two.
func (r Rules) most(s State, m Memory) int32 {
	return r.allow(s.Wanted, true, func(p Policy) int32 {
		start := p.before(s, m)
		if p.Percent {
			return int32(math.Ceil(float64(start) * (1 + float64(p.Value)/100)))
		}
		return start + p.Value
	})
}

// least is how many replicas must stay on the way down. Percent are rounded
// towards zero.
func (r Rules) least(s State, m Memory) int32 {
	return r.allow(s.Wanted, false, func(p Policy) int32 {
		start := p.before(s, m)
		if p.Percent {
			return int32(float64(start) * (1 - float64(p.Value)/100))
		}
		return start - p.Value
	})
}

// allow chooses among the policies the greatest change, or the least.
func (r Rules) allow(now int32, up bool, limit func(Policy) int32) int32 {
	if r.Select == Disabled {
		return now
	}
	var chosen int32
	for i, p := range r.Policies {
		v := limit(p)
		more := v > chosen == up // it allows a greater change than the one chosen
		if i == 0 || v != chosen && more == (r.Select != Least) {
			chosen = v
		}
	}
	return chosen
}
