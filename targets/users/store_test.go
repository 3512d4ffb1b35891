package users

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	userv1 "ordeal/targets/api/user/v1"
)

func put(name string) func(*userv1.User) (*userv1.User, error) {
	return func(*userv1.User) (*userv1.User, error) { return &userv1.User{Name: name}, nil }
}

func remove(*userv1.User) (*userv1.User, error) { return nil, nil }

// TestWatcherCanRebuildTheStore starts watchers while writers are busy: what existed plus the changes, in
// order, must give what is there in the end. A change lost or told twice between the two would show.
func TestWatcherCanRebuildTheStore(t *testing.T) {
	const writers, changes = 4, 2000
	store := NewMemory(1000, 100)
	var writing, watching sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for i := range changes {
				decide := put(fmt.Sprintf("%d.%d", w, i))
				if r.IntN(3) == 0 {
					decide = remove
				}
				if _, err := store.Change(fmt.Sprint(r.IntN(50)), decide); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	rebuilt := make([]map[string]string, 8)
	for i := range rebuilt {
		watching.Go(func() {
			existing, watcher, err := store.Watch(WatchOptions{Replay: 1000, Buffer: writers * changes})
			if err != nil {
				t.Error(err)
				return
			}
			defer watcher.Close()
			<-done
			rebuilt[i] = rebuild(t, existing, watcher)
		})
	}
	writing.Wait()
	close(done)
	watching.Wait()

	want := contents(store)
	for i, got := range rebuilt {
		if !maps.Equal(got, want) {
			t.Errorf("watcher %d has %d users, the store %d: %v, %v", i, len(got), len(want), got, want)
		}
	}
	if len(want) == 0 || len(want) != store.Len() {
		t.Errorf("the list has %d users, the store %d", len(want), store.Len())
	}
}

func rebuild(t *testing.T, existing []*userv1.User, w *Watcher) map[string]string {
	users := make(map[string]string)
	var last int64
	for _, u := range existing {
		users[u.GetId()] = u.GetName()
		last = max(last, u.GetRevision())
	}
	for {
		select {
		case e := <-w.Events():
			if e.GetRevision() <= last {
				t.Errorf("revision %d after %d", e.GetRevision(), last)
			}
			last = e.GetRevision()
			users[e.GetUser().GetId()] = e.GetUser().GetName()
			if e.GetKind() == userv1.UserEvent_KIND_DELETED {
				delete(users, e.GetUser().GetId())
			}
		default:
			return users
		}
	}
}

// contents reads the store page by page.
func contents(s Store) map[string]string {
	users := make(map[string]string)
	for cursor := uint64(0); ; {
		var page []*userv1.User
		page, cursor = s.List(cursor, 7)
		for _, u := range page {
			users[u.GetId()] = u.GetName()
		}
		if cursor == 0 {
			return users
		}
	}
}

func TestDeletedUsersLeaveNothingBehind(t *testing.T) {
	store := NewMemory(10, 1).(*memory)
	for i := range 10_000 {
		id := fmt.Sprint(i)
		if _, err := store.Change(id, put(id)); err != nil {
			t.Fatal(err) // full, if deletion made no room
		}
		if i >= 5 {
			if _, err := store.Change(fmt.Sprint(i-5), remove); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(store.order); n > 200 {
		t.Errorf("the order of 5 users has %d entries", n)
	}
	page, next := store.List(0, 100)
	if len(page) != 5 || page[0].GetId() != "9995" || next != 0 {
		t.Errorf("the list is %v, next %d", page, next)
	}
}

// TestReadersShareWithoutRaces is worth something under -race only: a stored user must not be changed.
func TestReadersShareWithoutRaces(t *testing.T) {
	store := NewMemory(10, 1)
	if err := seed(store, 3); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 500 {
				if _, err := store.Change("2", put(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
				if u := store.Get("2"); u.GetId() != "2" || u.GetName() == "" || u.GetRevision() == 0 {
					t.Errorf("read %v", u)
				}
				if page, _ := store.List(0, 10); len(page) != 3 || page[1].GetUpdateTime() == nil {
					t.Errorf("listed %v", page)
				}
			}
		})
	}
	group.Wait()
}
