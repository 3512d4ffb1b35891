package load

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// roster is a target whose members a test changes.
type roster struct {
	mu       sync.Mutex
	now      []Member
	followed map[*func([]Member)]struct{}
}

func (r *roster) Follow(changed func([]Member)) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followed == nil {
		r.followed = map[*func([]Member)]struct{}{}
	}
	key := &changed
	r.followed[key] = struct{}{}
	changed(r.now)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.followed, key)
	}
}

func (r *roster) set(now ...Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = now
	for changed := range r.followed {
		(*changed)(now)
	}
}

// followed is a load whose members change while it goes on.
type followed struct {
	*roster
	clock evidence.Clock
	got   *collector
	one   *target
	two   *target
	stop  context.CancelFunc
	ended time.Duration // when it was stopped
	end   chan error
}

// follow starts a load with one member.
func follow(t *testing.T, sub subject, closed bool) *followed {
	t.Helper()
	spec := sub.spec
	spec.Name, spec.Timeout = "l", 10*time.Second
	describeFromFile(t, &spec)
	if closed {
		spec.Clients = 10
	} else {
		spec.Rate, spec.Workers = holdAt(300), 200
	}
	f := &followed{roster: &roster{}, got: &collector{}, one: sub.target(t), two: sub.target(t), end: make(chan error, 1)}
	f.one.name, f.two.name = "", ""
	f.set(Member{"pod-one", f.one.addr})
	f.clock = evidence.NewClock()
	engine, err := spec.Engine(Env{Addrs: []string{f.one.addr}, Members: f.roster, Clock: f.clock, End: time.Minute, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.stop = cancel
	s := schedule(t, spec, phases(time.Minute), 1)
	go func() { f.end <- engine.Run(ctx, f.clock.Now()+time.Millisecond, s, f.got) }()
	f.await(t, "calls at the first member", func() bool { return f.one.calls.Load() >= 20 })
	return f
}

func (f *followed) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	poll(condition)
	if !condition() {
		t.Errorf("no %s; %v", what, f.got.classes())
	}
}

// finish ends the load and gives its samples.
func (f *followed) finish(t *testing.T) []evidence.Sample {
	t.Helper()
	f.ended = f.clock.Now()
	f.stop()
	if err := <-f.end; err != nil {
		t.Error(err)
	}
	if n := len(f.followed); n != 0 {
		t.Errorf("%d still follow the members", n)
	}
	return f.got.sorted()
}

func TestEnginesFollowMembers(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects() {
		if sub.spec.Trickle != nil {
			continue
		}
		for _, closed := range []bool{false, true} {
			name := fmt.Sprintf("%s/closed=%v/", sub.name, closed)
			t.Run(name+"comes", func(t *testing.T) { t.Parallel(); comes(t, sub, closed) })
			t.Run(name+"goes", func(t *testing.T) { t.Parallel(); goes(t, sub, closed) })
			t.Run(name+"nobody", func(t *testing.T) { t.Parallel(); nobody(t, sub, closed) })
		}
	}
}

// comes: a new member gets calls, those before it go on, and none fails.
func comes(t *testing.T, sub subject, closed bool) {
	f := follow(t, sub, closed)
	f.set(Member{"pod-one", f.one.addr}, Member{"pod-two", f.two.addr})
	f.await(t, "calls at the new member", func() bool { return f.two.calls.Load() >= 20 })
	before := f.one.calls.Load()
	f.await(t, "more calls at the first member", func() bool { return f.one.calls.Load() >= before+20 })
	f.allOK(t, f.finish(t))
}

// followedIn is how soon a change of the members must show.
const followedIn = time.Second

// goes: a member that has gone gets no new call, and those that it has end well.
func goes(t *testing.T, sub subject, closed bool) {
	f := follow(t, sub, closed)
	f.one.delay.Store(int64(300 * time.Millisecond))
	before := f.one.calls.Load()
	f.await(t, "slow calls at the first member", func() bool { return f.one.calls.Load() >= before+5 })
	f.set(Member{"pod-two", f.two.addr})
	at := f.clock.Now()
	f.await(t, "calls at the new member", func() bool { return f.two.calls.Load() >= 100 && f.clock.Now() > at+followedIn+followedIn/4 })
	samples := f.finish(t)
	f.allOK(t, samples)
	after := map[string]int{}
	for _, s := range samples {
		if s.Sent > at+followedIn {
			after[s.Backend]++
		}
	}
	if after["pod-one"] > 0 || after["pod-two"] == 0 {
		t.Errorf("calls after the change: %v", after)
	}
}

// cut reports whether the end of the run cut a call off: a busy machine may not bring
// it to its own end within the second that it has. One that was sent long before hangs.
func (f *followed) cut(s evidence.Sample) bool {
	return s.Class == evidence.Timeout && s.Done > f.ended && s.Sent > f.ended-grace
}

// allOK checks that calls went well, but for those that were cut off.
func (f *followed) allOK(t *testing.T, samples []evidence.Sample) {
	t.Helper()
	for _, s := range samples {
		if s.Class != evidence.OK && !f.cut(s) {
			t.Errorf("call %d at %v ended as %v", s.Seq, s.Backend, s.Class)
			return
		}
	}
}

// nobody: calls are refused while nobody is there, at once, and go on then.
func nobody(t *testing.T, sub subject, closed bool) {
	f := follow(t, sub, closed)
	f.set()
	f.await(t, "refused calls", func() bool { return f.got.classes()[evidence.Refused] >= 10 })
	answered := f.got.classes()[evidence.OK]
	f.set(Member{"pod-two", f.two.addr})
	f.await(t, "calls that are answered again", func() bool { return f.got.classes()[evidence.OK] >= answered+20 })
	for _, s := range f.finish(t) {
		switch {
		case s.Class != evidence.OK && s.Class != evidence.Refused && !f.cut(s):
			t.Fatalf("call %d ended as %v", s.Seq, s.Class)
		case s.Class == evidence.Refused && s.Done-s.Sent > time.Second:
			t.Fatalf("call %d was refused after %v", s.Seq, s.Done-s.Sent)
		}
	}
}

func TestASampleNamesTheMemberWhereTheAnswerDoesNot(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects() {
		if sub.spec.Trickle != nil {
			continue
		}
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			f := follow(t, sub, false)
			f.await(t, "samples", func() bool { return f.got.count() >= 10 })
			for _, s := range f.finish(t) {
				if s.Class == evidence.OK && s.Backend != "pod-one" {
					t.Fatalf("call %d names %q", s.Seq, s.Backend)
				}
			}
		})
	}
}
