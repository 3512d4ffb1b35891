package targets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSpecValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Spec)
		want   string // "" is valid; else "field: part of the message"
	}{
		"reference":            {func(s *Spec) { s.Reference = "users" }, ""},
		"command":              {func(s *Spec) { s.Command = []string{"./shop", "${addr}"} }, ""},
		"external":             {func(s *Spec) { s.External = "localhost:80" }, ""},
		"nothing":              {func(*Spec) {}, ": exactly one"},
		"two kinds":            {func(s *Spec) { s.Reference, s.External = "users", "h:1" }, ": exactly one"},
		"no callee":            {func(s *Spec) { s.Reference = "gateway" }, "calls: needs calls: {users"},
		"unknown callee":       {func(s *Spec) { s.Reference, s.Calls = "users", map[string]string{"db": "db"} }, `calls: "db"`},
		"unknown setting":      {func(s *Spec) { s.Reference, s.Tuning = "users", map[string]string{"wrok": "1"} }, `tuning.wrok: no setting "wrok"`},
		"placed by the runner": {func(s *Spec) { s.Reference, s.Tuning = "users", map[string]string{"addr": ":1"} }, `tuning.addr: no setting "addr"`},
		"wrong setting":        {func(s *Spec) { s.Reference, s.Tuning = "users", map[string]string{"seed-users": "many"} }, "tuning.seed-users: seed-users"},
		"too many replicas":    {func(s *Spec) { s.Reference, s.Replicas = "users", 65 }, "replicas: 1 to 64"},
		"no grace":             {func(s *Spec) { s.Reference, s.Grace = "users", 0 }, "grace: more than 0s"},
		"unknown placeholder":  {func(s *Spec) { s.Command = []string{"x", "${adr}"} }, "command: ${adr}"},
		"callee not named":     {func(s *Spec) { s.Command = []string{"x", "${calls.db}"} }, "command: needs calls: {db"},
		"placeholder in env":   {func(s *Spec) { s.Command, s.Env = []string{"x"}, map[string]string{"A": "${addr}"} }, ""},
		"unknown in env":       {func(s *Spec) { s.Command, s.Env = []string{"x"}, map[string]string{"A": "${adr}"} }, "env.A: ${adr}"},
		"callee in env":        {func(s *Spec) { s.Command, s.Env = []string{"x"}, map[string]string{"A": "${calls.db}"} }, "env.A: needs calls: {db"},
		"env of a reference":   {func(s *Spec) { s.Reference, s.Env = "users", map[string]string{"A": "${addr}"} }, "env.A: command"},
		"shared address":       {func(s *Spec) { s.Command, s.Listen, s.Replicas = []string{"x"}, "127.0.0.1:1", 2 }, "listen: cannot share"},
		"https":                {func(s *Spec) { s.External = "https://h:1" }, ""},
		"unknown scheme":       {func(s *Spec) { s.External = "ftp://h:1" }, `external: scheme "ftp"`},
		"external path":        {func(s *Spec) { s.External = "http://h:1/x" }, "external: without a path"},
		"external started":     {func(s *Spec) { s.External, s.Env = "h:1", map[string]string{"A": "b"} }, "env: not started"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Name: "x", Replicas: 1, Grace: time.Second}
			tc.change(s)
			var got []string
			s.Validate(func(field, format string, args ...any) { got = append(got, field+": "+fmt.Sprintf(format, args...)) })
			field, part, _ := strings.Cut(tc.want, ": ")
			switch {
			case tc.want == "" && len(got) > 0:
				t.Errorf("got %q, want it valid", got)
			case tc.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], field+":") || !strings.Contains(got[0], part)):
				t.Errorf("got %q, want one message at %q with %q", got, field, part)
			}
		})
	}
}
