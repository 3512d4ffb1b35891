package users

import (
	"errors"

	userv1 "ordeal/targets/api/user/v1"
)

// WatchOptions says what a watcher is told.
type WatchOptions struct {
	IDs    map[string]bool // only these users; nil: all
	Replay int             // existing users to begin with, at most
	Buffer int             // changes that may wait before the watcher is dropped
}

func (o WatchOptions) matches(id string) bool { return o.IDs == nil || o.IDs[id] }

// ErrTooManyWatchers is Watch's when no more watchers are taken.
var ErrTooManyWatchers = errors.New("too many watchers")

// Watcher is one listener to a store's changes. Close it when done.
type Watcher struct {
	options WatchOptions
	events  chan *userv1.UserEvent
	leave   func(*Watcher)
}

// Events gives the changes in order. It is closed when the watcher was too slow and has been dropped.
func (w *Watcher) Events() <-chan *userv1.UserEvent { return w.events }

// Close ends the watching; after that the store holds nothing of it.
func (w *Watcher) Close() { w.leave(w) }

// fanout hands changes to watchers and never waits for one. The store's lock guards it.
type fanout struct {
	max      int
	watchers map[*Watcher]struct{}
}

func newFanout(limit int) fanout {
	return fanout{max: limit, watchers: make(map[*Watcher]struct{})}
}

func (f *fanout) add(o WatchOptions, leave func(*Watcher)) (*Watcher, error) {
	if len(f.watchers) >= f.max {
		return nil, ErrTooManyWatchers
	}
	w := &Watcher{options: o, events: make(chan *userv1.UserEvent, o.Buffer), leave: leave}
	f.watchers[w] = struct{}{}
	return w, nil
}

func (f *fanout) remove(w *Watcher) { delete(f.watchers, w) }

func (f *fanout) publish(event *userv1.UserEvent) {
	for w := range f.watchers {
		if !w.options.matches(event.GetUser().GetId()) {
			continue
		}
		select {
		case w.events <- event:
		default:
			f.remove(w)
			close(w.events) // what is in it can still be read
		}
	}
}
