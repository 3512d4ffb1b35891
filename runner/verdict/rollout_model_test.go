package verdict

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ordeal/runner/evidence"
)

// rolloutModel writes the evidence of a Deployment "gateway" of so many Pods that
// gets another template where the phase "change" starts, and of what answers the
// calls meanwhile. What is not set about it is sound.
type rolloutModel struct {
	replicas             int
	unavailable, surge   any           // of its strategy, as the API gives it
	start                time.Duration // a new Pod until it is Ready
	phases               []phase
	rate                 int
	back                 string // the phase that goes back, "" for none
	scale                int    // how many Pods are wanted half a second after the change, where not 0
	extraDown, extraUp   int    // Pods by which it breaks its bounds
	stuck                bool   // new Pods are never Ready
	failing              int    // calls that fail when a Pod goes
	lingers              time.Duration
	same                 bool                         // the change makes no new template
	unnamed              bool                         // answers name nobody
	unseen               func(o *evidence.Event) bool // events that are left out
	lame                 bool                         // a Pod was not Ready before the change
	without              string                       // what the strategy does not say: "rollingUpdate"
	deploymentGeneration int64
}

func soundRollout() rolloutModel {
	return rolloutModel{
		replicas: 4, unavailable: 1, surge: "25%", start: 400 * ms, rate: 200,
		phases: []phase{{"warmup", time.Second}, {"steady", 3 * time.Second}, {"change", 5 * time.Second}, {"after", 5 * time.Second}},
	}
}

// modelPod is a Pod of the model.
type modelPod struct {
	name, set   string
	made, ready time.Duration
	ending      time.Duration // when it was asked to end; 0 for not
	isReady     bool
}

// modelDeployment is the Deployment of the model as it goes on.
type modelDeployment struct {
	*rolloutModel
	s        *script
	pods     []*modelPod
	sets     map[string]int // revision by hash
	now      string         // the hash that is wanted
	wanted   int
	made     int
	revision int
	next     int // the Pod whose turn it is to answer
	owed     int // calls that are still to fail
	late     []*modelPod
}

const modelStep = 20 * ms

// runs writes all of it.
func (m rolloutModel) runs(s *script) *evidence.Run { return m.play(s).end() }

func (m rolloutModel) play(s *script) *script {
	m.deploymentGeneration = 1
	d := &modelDeployment{rolloutModel: &m, s: s, sets: map[string]int{}, wanted: m.replicas}
	d.template("aaa")
	for range m.replicas {
		p := d.make(500 * ms)
		p.isReady = true
		d.tell("found", p, 900*ms)
	}
	if m.lame {
		d.pods[0].isReady, d.pods[0].ready = false, time.Hour
		d.tell("changed", d.pods[0], 1100*ms)
	}
	d.state("found", 900*ms)
	changeAt, _ := s.phase("change")
	backAt := time.Duration(-1)
	if m.back != "" {
		backAt, _ = s.phase(m.back)
	}
	for at := timelineStart; at < s.meta.Took; at += modelStep {
		switch at {
		case changeAt:
			d.change(at, "bbb")
		case backAt:
			d.change(at, "aaa")
		case changeAt + 500*ms:
			if m.scale > 0 {
				d.wanted = m.scale
				d.deploymentGeneration++
			}
		}
		d.control(at + 10*ms) // what follows from a change follows after it
		d.answer(at)
	}
	return s
}

func (d *modelDeployment) change(at time.Duration, hash string) {
	d.s.event(evidence.Event{At: at + 3*ms, Kind: evidence.Changed, Phase: d.s.phaseAt(at), Text: "rollout of Deployment gateway",
		Object: &evidence.Object{Kind: "Deployment", Name: "gateway"}})
	if d.same {
		return
	}
	d.deploymentGeneration++
	d.template(hash)
	d.tellSet(at+8*ms, hash)
	d.owed = d.failing
}

func (d *modelDeployment) template(hash string) {
	d.revision++
	d.sets[hash], d.now = d.revision, hash
	if d.revision == 1 {
		d.tellSet(900*ms, hash)
	}
}

func (d *modelDeployment) make(at time.Duration) *modelPod {
	d.made++
	p := &modelPod{name: fmt.Sprintf("gateway-%s-%d", d.now, d.made), set: d.now, made: at, ready: at + d.start}
	d.pods = append(d.pods, p)
	return p
}

// control does what the Deployment controller does at a moment.
func (d *modelDeployment) control(at time.Duration) {
	for _, p := range d.pods {
		if !p.isReady && p.ending == 0 && at >= p.ready && (!d.stuck || p.set == "aaa") {
			p.isReady = true
			d.tell("changed", p, at)
		}
	}
	surge, unavailable := d.bounds()
	for d.active("") < d.wanted+surge && d.active(d.now) < d.wanted {
		d.tell("added", d.make(at), at)
	}
	for _, p := range d.pods {
		spare := d.ready() - 1 - (d.wanted - unavailable)
		old := p.set != d.now
		if p.ending == 0 && p.isReady && (old && spare >= 0 || !old && d.active(d.now) > d.wanted && d.active("") > d.wanted) {
			p.ending = at
			d.tell("changed", p, at)
		}
	}
	d.pods = slices.DeleteFunc(d.pods, func(p *modelPod) bool {
		if p.ending == 0 || at < p.ending+200*ms {
			return false
		}
		d.tell("deleted", p, at)
		d.late = append(d.late, p)
		return true
	})
	d.state("changed", at)
}

func (d *modelDeployment) bounds() (surge, unavailable int) {
	of := func(v any, up bool) int {
		var p PodShare
		if err := p.UnmarshalText([]byte(fmt.Sprint(v))); err != nil {
			d.s.t.Fatal(err)
		}
		if up {
			return p.up(d.wanted)
		}
		return p.down(d.wanted)
	}
	return of(d.surge, true) + d.extraUp, of(d.unavailable, false) + d.extraDown
}

func (d *modelDeployment) active(set string) (n int) {
	for _, p := range d.pods {
		if p.ending == 0 && (set == "" || p.set == set) {
			n++
		}
	}
	return n
}

func (d *modelDeployment) ready() (n int) {
	for _, p := range d.pods {
		if p.ending == 0 && p.isReady {
			n++
		}
	}
	return n
}

// answer makes the calls of a step, to the Pods that are Ready in turn. With
// lingers, those that are gone go on answering for as long.
func (d *modelDeployment) answer(at time.Duration) {
	name := d.s.phaseAt(at)
	for i := range d.rate * int(modelStep/ms) / 1000 {
		d.s.meta.Loads[0].Planned[name]++
		sent := at + time.Duration(i)*5*ms
		c := evidence.Sample{Seq: d.s.seq, Intended: sent, Sent: sent, Done: sent + 2*ms, Code: 200}
		d.s.seq++
		if p := d.pick(at); p != nil {
			c.Backend = p.name
		}
		if c.Backend == "" {
			c.Class, c.Code = evidence.Refused, 0
		}
		if d.owed > 0 && name == "change" && len(d.late) > 0 {
			d.owed--
			c.Class, c.Code, c.Backend = evidence.Reset, 0, d.late[0].name
		}
		if d.unnamed {
			c.Backend = ""
		}
		d.s.calls = append(d.s.calls, c)
	}
}

func (d *modelDeployment) pick(at time.Duration) *modelPod {
	var can []*modelPod
	for _, p := range append(slices.Clone(d.pods), d.late...) {
		if p.ending == 0 && p.isReady || p.ending > 0 && at < p.ending+d.lingers {
			can = append(can, p)
		}
	}
	if len(can) == 0 {
		return nil
	}
	d.next++
	return can[d.next%len(can)]
}

// see writes an event of an object.
func (s *script) see(action, kind, name string, at time.Duration, data map[string]any, unseen func(*evidence.Event) bool) {
	text, err := json.Marshal(data)
	if err != nil {
		s.t.Fatal(err)
	}
	e := evidence.Event{At: at, Kind: evidence.ObjectSeen, Object: &evidence.Object{Action: action, Kind: kind, Namespace: "ordeal", Name: name, UID: kind + name, Data: text}}
	if unseen == nil || !unseen(&e) {
		s.event(e)
	}
}

// phaseAt is the phase of a moment.
func (s *script) phaseAt(at time.Duration) string {
	for _, p := range s.meta.Phases {
		if at >= p.Start && at < p.Start+p.For {
			return p.Name
		}
	}
	return ""
}

type fields = map[string]any

func owner(kind, name string) []any {
	return []any{fields{"kind": kind, "name": name, "uid": kind + name}}
}

func (d *modelDeployment) tell(action string, p *modelPod, at time.Duration) {
	ready := "False"
	if p.isReady && p.ending == 0 {
		ready = "True"
	}
	meta := fields{"name": p.name, "uid": p.name, "labels": fields{"app": "gateway", hashLabel: p.set}, "ownerReferences": owner("ReplicaSet", "gateway-"+p.set)}
	if p.ending > 0 {
		meta["deletionTimestamp"] = "2026-01-02T15:04:05Z"
	}
	d.s.see(action, "Pod", p.name, at, fields{"metadata": meta, "status": fields{"phase": "Running", "conditions": []any{
		fields{"type": "Initialized", "status": "True"}, fields{"type": "Ready", "status": ready},
	}}}, d.unseen)
}

func (d *modelDeployment) tellSet(at time.Duration, hash string) {
	d.s.see("changed", "ReplicaSet", "gateway-"+hash, at, fields{"metadata": fields{
		"name": "gateway-" + hash, "uid": hash, "ownerReferences": owner("Deployment", "gateway"),
		"annotations": fields{revisionNote: strconv.Itoa(d.sets[hash])},
	}, "spec": fields{"selector": fields{"matchLabels": fields{}}}}, d.unseen)
}

// state writes the Deployment as it is.
func (d *modelDeployment) state(action string, at time.Duration) {
	strategy := fields{"type": "RollingUpdate", "rollingUpdate": fields{"maxUnavailable": d.unavailable, "maxSurge": d.surge}}
	if d.without != "" {
		delete(strategy, d.without)
	}
	d.s.see(action, "Deployment", "gateway", at, fields{
		"metadata": fields{"name": "gateway", "uid": "d", "generation": d.deploymentGeneration},
		"spec":     fields{"replicas": d.wanted, "strategy": strategy, "selector": fields{"matchLabels": fields{}}},
		"status": fields{"observedGeneration": d.deploymentGeneration, "replicas": d.active(""), "updatedReplicas": d.active(d.now),
			"availableReplicas": d.ready(), "conditions": []any{fields{"type": "Available", "status": "True"}}},
	}, d.unseen)
}
