package load

// Member is one of those behind a target that come and go.
type Member struct {
	Name string // who answers, where the answer does not say it itself; the address for ""
	Addr string // host:port
}

// name is what the member is called in a sample.
func (m Member) name() string {
	if m.Name != "" {
		return m.Name
	}
	return m.Addr
}

// Members are those behind a target while they come and go. New ones get calls
// at once; those that have gone get no new ones, and the calls that they have
// end as they would. Where there are none, calls end as refused.
type Members interface {
	// Follow calls changed with those that are there, before it returns, and then
	// at every change, until stop is called: one call at a time, and none after
	// stop has returned. changed is quick, and may keep the list.
	Follow(changed func([]Member)) (stop func())
}

// fixedMembers are members that stay as they are.
type fixedMembers []Member

// Follow implements Members.
func (f fixedMembers) Follow(changed func([]Member)) (stop func()) {
	changed(f)
	return func() {}
}

// membersAt gives what is behind addresses, with no name beside them.
func membersAt(addrs []string) []Member {
	members := make([]Member, len(addrs))
	for i, addr := range addrs {
		members[i] = Member{Addr: addr}
	}
	return members
}
