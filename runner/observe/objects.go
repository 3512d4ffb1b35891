package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"ordeal/runner/evidence"
	"ordeal/targets/kubernetes"
)

// Objects records the objects of a cluster: what is there, and each change.
type Objects struct {
	Clock   evidence.Clock
	Cluster interface {
		Watch(seen func(kubernetes.Seen)) (stop func(), err error)
	}
	TargetOf func(kubernetes.Seen) string // the target that an object belongs to; "" for none
}

// noiseEvery is how often an event of the cluster that happens again and again is
// told again.
const noiseEvery = time.Second

// Observe records until ctx ends.
func (o Objects) Observe(ctx context.Context, out evidence.Sink) error {
	log := &objectLog{Objects: o, out: out, told: map[types.UID]time.Duration{}}
	stop, err := o.Cluster.Watch(log.seen)
	if err != nil {
		return err
	}
	<-ctx.Done()
	stop()
	log.end()
	return nil
}

// objectLog writes objects down until its end.
type objectLog struct {
	Objects
	out evidence.Sink

	mu    sync.Mutex
	ended bool
	told  map[types.UID]time.Duration // events of the cluster, when they were last told
}

// end ends the record: what a watch still has to say comes after the run.
func (l *objectLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

func (l *objectLog) seen(s kubernetes.Seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Clock.Now()
	if l.ended || l.noise(s, now) {
		return
	}
	object := &evidence.Object{
		Action: s.Action, Kind: s.Kind, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), UID: string(s.Object.GetUID()),
	}
	data, err := json.Marshal(s.Object)
	if err != nil {
		l.out.Event(evidence.Event{At: now, Kind: evidence.Note, Text: fmt.Sprintf("%s %s cannot be written down: %v", s.Kind, object.Name, err)})
		return
	}
	object.Data = data
	l.out.Event(evidence.Event{At: now, Kind: evidence.ObjectSeen, Target: l.TargetOf(s), Object: object})
}

// noise reports whether an object is an event of the cluster that was told a
// moment ago. Other objects are told at each change.
func (l *objectLog) noise(s kubernetes.Seen, now time.Duration) bool {
	if s.Kind != "Event" {
		return false
	}
	uid := s.Object.GetUID()
	last, known := l.told[uid]
	switch {
	case s.Action == kubernetes.Deleted:
		delete(l.told, uid)
		return true // they are cleared away after a while, which says nothing
	case known && now-last < noiseEvery:
		return true
	}
	l.told[uid] = now
	return false
}
