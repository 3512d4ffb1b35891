package chaos

// The directions of a link: up is from the caller to the called, down is back.
const (
	up   = "up"
	down = "down"
	both = "both"
)

// directed gives the words that String puts after a fault whose direction is
// not its default.
func directed(direction, usual string) string {
	if direction == "" || direction == usual {
		return ""
	}
	return " " + direction
}

func shared(s Share) string {
	if s == 0 || s == 100 {
		return ""
	}
	return " for " + s.String() + " of connections"
}
