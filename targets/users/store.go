package users

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"strconv"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	userv1 "ordeal/targets/api/user/v1"
)

// Store keeps users. Users that it gives out, and users given to it, are never changed again: they are shared,
// so that reading copies nothing. All methods may be called at the same time.
type Store interface {
	// Get returns the user, nil when there is none.
	Get(id string) *userv1.User
	// Change decides and stores in one step. decide gets the user as it is, nil when there is none, and
	// returns it as it shall be, nil to delete it; its error is Change's. It must be quick, and a user that it
	// returns must be new: the store still sets id, times and revision. An empty id is a new one of the
	// store's choosing. ErrFull when there is no room for one more.
	Change(id string, decide func(old *userv1.User) (*userv1.User, error)) (*userv1.UserEvent, error)
	// List returns up to limit users in order of creation, from the cursor of the page before (0: the first),
	// and the next cursor, 0 when there are no more.
	List(cursor uint64, limit int) ([]*userv1.User, uint64)
	// Len is how many users there are.
	Len() int
	// Watch returns what exists now, if asked for, and the changes from then on, with no gap between.
	Watch(WatchOptions) (existing []*userv1.User, w *Watcher, err error)
}

// ErrFull is Change's when the store holds as many users as it may.
var ErrFull = errors.New("the store is full")

// memory is the Store of a process's lifetime.
type memory struct {
	limit int

	mu       sync.RWMutex
	byID     map[string]*entry
	order    []*entry // by sequence number; deleted ones stay until there are many
	dead     int      // deleted ones in order
	sequence uint64   // of the last entry
	lastID   uint64   // of the last id chosen
	revision int64
	fanout   fanout
}

type entry struct {
	sequence uint64
	user     *userv1.User // nil when deleted
}

// NewMemory returns an empty store for up to limit users and maxWatchers watchers.
func NewMemory(limit, maxWatchers int) Store {
	return &memory{limit: limit, byID: make(map[string]*entry), fanout: newFanout(maxWatchers)}
}

func (m *memory) Get(id string) *userv1.User {
	m.mu.RLock()
	e := m.byID[id]
	var user *userv1.User
	if e != nil {
		user = e.user
	}
	m.mu.RUnlock()
	return user
}

func (m *memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.byID)
}

func (m *memory) Change(id string, decide func(*userv1.User) (*userv1.User, error)) (*userv1.UserEvent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == "" {
		id = m.chooseID()
	}
	e := m.byID[id]
	var old *userv1.User
	if e != nil {
		old = e.user
	}
	user, err := decide(old)
	if err != nil {
		return nil, err
	}
	kind := userv1.UserEvent_KIND_UPDATED
	switch {
	case user == nil && old == nil:
		return &userv1.UserEvent{Revision: m.revision}, nil // nothing there, and nothing wanted
	case user == nil:
		kind, user = userv1.UserEvent_KIND_DELETED, old
		m.remove(e)
		m.revision++
	case old == nil:
		if len(m.byID) >= m.limit {
			return nil, ErrFull
		}
		kind = userv1.UserEvent_KIND_CREATED
		m.stamp(user, id, nil)
		m.add(user)
	default:
		m.stamp(user, id, old)
		e.user = user
	}
	event := &userv1.UserEvent{Kind: kind, User: user, Revision: m.revision}
	m.fanout.publish(event)
	return event, nil
}

// stamp sets what the store sets, for a new revision.
func (m *memory) stamp(user *userv1.User, id string, old *userv1.User) {
	m.revision++
	now := timestamppb.Now()
	user.Id, user.Revision, user.UpdateTime, user.CreateTime = id, m.revision, now, now
	if old != nil {
		user.CreateTime = old.GetCreateTime()
	}
}

// chooseID returns the next number that is not in use.
func (m *memory) chooseID() string {
	for {
		m.lastID++
		if id := strconv.FormatUint(m.lastID, 10); m.byID[id] == nil {
			return id
		}
	}
}

func (m *memory) add(user *userv1.User) {
	m.sequence++
	e := &entry{sequence: m.sequence, user: user}
	m.byID[user.GetId()] = e
	m.order = append(m.order, e)
}

// remove leaves the entry in order, without its user, until half of order is such entries.
func (m *memory) remove(e *entry) {
	delete(m.byID, e.user.GetId())
	e.user = nil
	if m.dead++; m.dead > 64 && m.dead > len(m.order)/2 {
		m.order = slices.DeleteFunc(m.order, func(e *entry) bool { return e.user == nil })
		m.dead = 0
	}
}

func (m *memory) List(cursor uint64, limit int) ([]*userv1.User, uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	from := sort.Search(len(m.order), func(i int) bool { return m.order[i].sequence > cursor })
	page := make([]*userv1.User, 0, min(limit, len(m.order)-from))
	for _, e := range m.order[from:] {
		switch {
		case e.user == nil:
		case len(page) == limit:
			return page, cursor
		default:
			page = append(page, e.user)
			cursor = e.sequence
		}
	}
	return page, 0
}

func (m *memory) Watch(o WatchOptions) ([]*userv1.User, *Watcher, error) {
	m.mu.Lock() // writers wait, so that no change is lost between what exists and the first change
	defer m.mu.Unlock()
	w, err := m.fanout.add(o, func(w *Watcher) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.fanout.remove(w)
	})
	if err != nil {
		return nil, nil, err
	}
	return m.existing(o), w, nil
}

// existing is in order of creation.
func (m *memory) existing(o WatchOptions) []*userv1.User {
	if o.Replay <= 0 {
		return nil
	}
	entries := m.order
	if o.IDs != nil { // few of many: look them up
		entries = nil
		for id := range o.IDs {
			if e := m.byID[id]; e != nil {
				entries = append(entries, e)
			}
		}
		slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.sequence, b.sequence) })
	}
	var users []*userv1.User
	for _, e := range entries {
		if e.user == nil {
			continue
		}
		if users = append(users, e.user); len(users) == o.Replay {
			break
		}
	}
	return users
}
