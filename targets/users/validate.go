package users

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
)

// The contract's limits.
const (
	maxID    = 64
	maxName  = 100
	maxAge   = 150
	maxEmail = 254
	maxCity  = 200
)

// violations collects what is wrong with a request, field by field.
type violations []*errdetails.BadRequest_FieldViolation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, &errdetails.BadRequest_FieldViolation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// err is nil when nothing is wrong, else INVALID_ARGUMENT with a google.rpc.BadRequest among its details.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	text := make([]string, len(v))
	for i, f := range v {
		text[i] = f.GetField() + ": " + f.GetDescription()
	}
	st := status.New(codes.InvalidArgument, strings.Join(text, "; "))
	if detailed, err := st.WithDetails(&errdetails.BadRequest{FieldViolations: v}); err == nil {
		st = detailed
	}
	return st.Err()
}

// checkID is for requests that name a user.
func checkID(field, id string) error {
	if validID(id) {
		return nil
	}
	var v violations
	v.id(field, id)
	return v.err()
}

func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

func (v *violations) id(field, id string) {
	if !validID(id) {
		v.add(field, "must be 1 to %d letters, digits, '-', '_' or '.'", maxID)
	}
}

// user checks what a client may set. An empty id is the caller's to judge.
func (v *violations) user(prefix string, u *userv1.User) {
	if u == nil {
		v.add(strings.TrimSuffix(prefix, "."), "is required")
		return
	}
	if u.GetId() != "" {
		v.id(prefix+"id", u.GetId())
	}
	if n := utf8.RuneCountInString(u.GetName()); n < 1 || n > maxName {
		v.add(prefix+"name", "must have 1 to %d characters", maxName)
	}
	if u.GetAge() < 0 || u.GetAge() > maxAge {
		v.add(prefix+"age", "must be 0 to %d", maxAge)
	}
	if !validEmail(u.GetEmail()) {
		v.add(prefix+"email", "must be empty or an address of at most %d bytes with one '@'", maxEmail)
	}
	if utf8.RuneCountInString(u.GetCity()) > maxCity {
		v.add(prefix+"city", "must have at most %d characters", maxCity)
	}
}

func validEmail(s string) bool {
	if s == "" {
		return true
	}
	local, domain, found := strings.Cut(s, "@")
	return found && local != "" && domain != "" && len(s) <= maxEmail && !strings.ContainsAny(domain, "@ \t\r\n") && !strings.ContainsAny(local, " \t\r\n")
}
