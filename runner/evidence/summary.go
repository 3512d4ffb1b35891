package evidence

import "time"

// Summary is the whole of a run's calls, counted in one pass. A call belongs
// to the phase and the interval of its intended time. A call intended between
// two phases (while a fault was being healed) belongs to the earlier one.
type Summary struct {
	Loads    []LoadSummary // as in Meta.Loads
	Start    time.Duration // where intervals and ticks begin: Meta.Start
	Interval time.Duration // 1 s, more where the run is longer than an hour or has very many loads
	Tick     time.Duration // a tenth of Interval
	// Outside counts calls and messages that belong to no load, or were intended before the
	// timeline began or after it ended: a sound run has none.
	Outside int64
}

// Load finds a load by name; nil where there is none.
func (s *Summary) Load(name string) *LoadSummary {
	for i := range s.Loads {
		if s.Loads[i].Meta.Name == name {
			return &s.Loads[i]
		}
	}
	return nil
}

// LoadSummary is one load's share of a Summary.
type LoadSummary struct {
	Meta      LoadMeta
	Phases    map[string]*Stats // every phase that was begun has an entry, also one without calls
	Whole     *Stats            // all but warmup
	Intervals []Interval        // Intervals[i] begins at Summary.Start + i*Summary.Interval; they reach to the run's end
	Ticks     []Counts          // Ticks[i] begins at Summary.Start + i*Summary.Tick; ten to an interval
	// InFlight and Waiting are, for each tick, how many calls were under way and how
	// many were due but not yet sent, on average over the tick.
	InFlight, Waiting []float64
}

// Over merges the phases of the given names; without names it is Whole.
// Unknown names add nothing.
func (l *LoadSummary) Over(phases ...string) *Stats {
	switch len(phases) {
	case 0:
		return l.Whole
	case 1:
		if s := l.Phases[phases[0]]; s != nil {
			return s
		}
	}
	all := newStats()
	for i, name := range phases {
		if !contains(phases[:i], name) {
			all.merge(l.Phases[name])
		}
	}
	return all
}

// Stats is what is known of the calls of one load in one phase.
type Stats struct {
	Counts
	Response *Distribution // from the intended start to the end, three digits
	Service  *Distribution // from the actual send to the end
	Lag      *Distribution // from the intended start to the actual send
	Bytes    int64         // of all response bodies
	// Codes, Backends and Marks hold at most 64 entries each; what does not
	// fit is counted under Class Other with Code -1, or under "(more)".
	// Calls without a backend or a mark are not in the latter two.
	Codes    map[ClassCode]int64
	Backends map[string]int64
	Marks    map[string]int64
	// MarkedCodes is the part of Codes whose answers were not the real ones.
	MarkedCodes map[ClassCode]int64
	// Messages are those of streaming calls: of a phase, those that were due in
	// it, whenever their call was.
	Messages MessageStats
	// First and Last are the intended times of the first and the last call.
	First, Last time.Duration

	codes    repeat[ClassCode]
	backends repeat[string]
	marks    repeat[string]
	marked   repeat[ClassCode]
}

// ClassCode is how a call ended, with its HTTP status or gRPC code (0 where
// there was none, and for gRPC OK).
type ClassCode struct {
	Class Class
	Code  int
}

// Percentile is that of the response time; see Distribution.Percentile.
func (s *Stats) Percentile(p float64) (value time.Duration, enough bool) {
	return s.Response.Percentile(p)
}

// Where counts the calls whose class and code satisfy a condition.
func (s *Stats) Where(match func(Class, int) bool) int64 {
	var n int64
	for k, v := range s.Codes {
		if match(k.Class, k.Code) {
			n += v
		}
	}
	return n
}

// Interval is what is known of the calls of one load in one short stretch.
type Interval struct {
	Counts
	Response *Distribution // two digits; nil where there were no calls
	MaxLag   time.Duration
}

// Percentile is that of the response time; see Distribution.Percentile.
func (i *Interval) Percentile(p float64) (value time.Duration, enough bool) {
	return i.Response.Percentile(p)
}

// newStats makes an empty Stats.
func newStats() *Stats {
	return &Stats{
		Response: newDistribution(phaseDigits),
		Service:  newDistribution(phaseDigits),
		Lag:      newDistribution(phaseDigits),
		Codes:    make(map[ClassCode]int64),
		Backends: make(map[string]int64),
		Marks:    make(map[string]int64),

		MarkedCodes: make(map[ClassCode]int64),
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
