package verdict

import (
	"encoding/json"
	"time"

	"ordeal/runner/evidence"
)

// podsAgain is when as many Pods of a target were Ready again as before some of
// them were killed: what made them makes others without waiting for the heal. It
// is the heal where that was not seen.
func podsAgain(run *evidence.Run, f evidence.FaultSpan) time.Duration {
	ready := map[string]bool{} // by name
	count := func() (n int) {
		for _, is := range ready {
			if is {
				n++
			}
		}
		return n
	}
	before, missing, back := -1, false, f.Healed
	for _, e := range run.Events {
		if e.Kind != evidence.ObjectSeen || e.Object == nil || e.Object.Kind != "Pod" || e.Target != f.Target || e.At > f.Healed {
			continue
		}
		// What the fault does is seen before it is said to act.
		if phase, ok := run.Phase(f.Phase); ok && before < 0 && e.At > phase.Start {
			before = count()
		}
		seen := sighting{at: e.At, gone: e.Object.Action == "deleted"}
		if json.Unmarshal(e.Object.Data, &seen.object) != nil {
			return f.Healed
		}
		ready[e.Object.Name] = seen.ready()
		switch enough := count() >= before; {
		case before < 0:
		case !enough:
			missing, back = true, f.Healed
		case missing:
			missing, back = false, e.At
		}
	}
	return back
}
