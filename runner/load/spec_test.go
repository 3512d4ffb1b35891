package load

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"300/s": 300, "20/m": 20. / 60, "36/h": 0.01, " 0.5 / s ": 0.5, "0/s": 0,
	} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q is %v, %v; want %v", text, float64(r), err, float64(want))
		}
	}
	for _, text := range []string{"", "300", "300/d", "/s", "-1/s", "NaN/s", "Inf/s", "1e9/s", "x/s", "3//s"} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %v", text, r)
		}
	}
	for rate, want := range map[Rate]string{300: "300/s", 0.5: "30/m", 1. / 3600: "1/h", 0: "0/s", 1.5: "1.5/s"} {
		if got := rate.String(); got != want {
			t.Errorf("%v is %q, want %q", float64(rate), got, want)
		}
	}
}

func FuzzRate(f *testing.F) {
	for _, s := range (Rate)(0).Examples() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var r, back Rate
		if r.UnmarshalText([]byte(s)) != nil {
			return
		}
		if err := back.UnmarshalText([]byte(r.String())); err != nil {
			t.Fatalf("%q became %q: %v", s, r, err)
		}
		if d := float64(back - r); d > 1e-6*(1+float64(r)) || -d > 1e-6*(1+float64(r)) {
			t.Fatalf("%q became %q", s, r)
		}
	})
}

type validator interface {
	Validate(bad func(field, format string, args ...any))
}

func TestValidate(t *testing.T) {
	ok := func() *HTTP { return &HTTP{Target: "t", Get: "/"} }
	for _, c := range []struct {
		spec validator
		want string // "" for none; the field and a part of the message
	}{
		{&Spec{HTTP: ok(), Rate: holdAt(1)}, ""},
		{&Spec{HTTP: ok(), Clients: 5}, ""},
		{&Spec{HTTP: ok()}, ": a load needs rate"},
		{&Spec{HTTP: ok(), Rate: holdAt(1), Clients: 5}, "clients: "},
		{&Spec{HTTP: ok(), Clients: -5}, "clients: want 1 to"},
		{&Spec{HTTP: ok(), Clients: 5, Workers: 5}, "workers: "},
		{&Spec{HTTP: ok(), Rate: holdAt(1), Workers: -5}, "workers: want 1 to"},
		{&Spec{HTTP: ok(), Clients: 5, Arrivals: "poisson"}, "arrivals: "},
		{&Spec{HTTP: ok(), Rate: holdAt(1), Timeout: -1}, "timeout: "},
		{&Spec{GRPC: &GRPC{Call: "a.B/C", For: 10 * time.Second}, Rate: holdAt(1)}, "timeout: a stream that lasts 10s"},
		{ok(), ""},
		{&HTTP{}, ": want exactly one of get, head"},
		{&HTTP{Get: "/", Post: "/"}, "found 2"},
		{&HTTP{Get: "users"}, "get: want a path"},
		{&HTTP{Get: "/", Body: "x"}, "body: a GET has no body"},
		{&HTTP{Post: "/{{.Seq"}, "post: parse the template"},
		{&HTTP{Post: "/", Body: map[string]any{"a": []any{"{{nope}}"}}}, "body: a: item 1: parse the template"},
		{&HTTP{Get: "/", Headers: map[string]string{"X": "{{"}}, "headers: "},
		{&GRPC{Call: "a.B/C"}, ""},
		{&GRPC{Call: "a.B.C"}, "call: want package.Service/Method"},
		{&GRPC{Call: "a.B/C/D"}, "call: "},
		{&GRPC{Call: "a.B/C", Data: 1, Messages: []any{1}}, "messages: "},
		{&GRPC{Call: "a.B/C", Repeat: -1}, "repeat: "},
		{&GRPC{Call: "a.B/C", Interval: -1}, "interval: "},
		{&GRPC{Call: "a.B/C", Connections: 1e6}, "connections: "},
		{&GRPC{Call: "a.B/C", Messages: []any{"{{"}}, "messages: message 1"},
		{&GRPC{Call: "a.B/C", Metadata: map[string]string{"x": "{{"}}, "metadata: "},
		{&Trickle{}, ""},
		{&Trickle{Path: "x"}, "path: "},
		{&Trickle{Hold: -1}, "hold: "},
		{&Trickle{Every: -1}, "every: "},
		{&Data{CSV: "a"}, ""},
		{&Data{}, ": want exactly one of csv and json"},
		{&Data{CSV: "a", JSON: "b"}, ": want exactly one"},
		{&JWT{Key: "k", Expires: time.Millisecond}, "expires: "},
		{&Auth{Bearer: ptr("{{")}, "bearer: "},
		{&Ramp{Over: -1}, "over: "},
		{&Step{From: 1, To: 2, Every: 1}, "by: "},
		{&Step{From: 1, To: 1e6, By: 1, Every: 1}, "by: this makes more than"},
		{&Step{From: 1, To: 2, By: 1}, "every: "},
		{&Spike{}, "for: "},
		{&Spike{For: 1, At: ptr(-time.Second)}, "at: "},
		{&Sine{Mean: 1, Amplitude: 2, Period: 1}, "amplitude: "},
		{&Sine{Mean: 1, Amplitude: 1}, "period: "},
	} {
		var got []string
		c.spec.Validate(func(field, format string, args ...any) {
			got = append(got, field+": "+fmt.Sprintf(format, args...))
		})
		if (len(got) == 0) != (c.want == "") || !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%T %+v: %q, want %q", c.spec, c.spec, got, c.want)
		}
	}
}

func TestMeta(t *testing.T) {
	ps := phases(time.Second, 2*time.Second)
	m := (&Spec{Name: "browse", HTTP: &HTTP{Target: "gateway", Get: "/users"}, Rate: holdAt(30), Timeout: time.Second}).Meta(ps, 1)
	if m.Name != "browse" || m.Engine != "http" || m.Target != "gateway" || m.Call != "GET /users" || m.Model != "open" ||
		m.Arrivals != "uniform" || m.Shape != "30/s" || m.Workers != 1000 || m.Timeout != time.Second || m.Planned["b"] != 60 {
		t.Errorf("%+v", m)
	}
	m = (&Spec{GRPC: &GRPC{Target: "users", Call: "a.B/C"}, Clients: 7}).Meta(ps, 1)
	if m.Engine != "grpc" || m.Call != "a.B/C" || m.Model != "closed" || m.Arrivals != "closed" || m.Shape != "7 clients" || m.Workers != 7 || m.Planned != nil {
		t.Errorf("%+v", m)
	}
	m = (&Spec{Trickle: &Trickle{Target: "gateway", Hold: 8 * time.Second}, Clients: 2, Timeout: time.Second}).Meta(ps, 1)
	if m.Engine != "trickle" || m.Timeout != 8*time.Second || m.Target != "gateway" {
		t.Errorf("%+v", m)
	}
	for shape, c := range map[string]*Curve{
		"ramp 10/s to 500/s over 5s":      {Ramp: &Ramp{From: 10, To: 500, Over: 5 * time.Second}},
		"step 1/s to 9/s by 2/s every 1s": {Step: &Step{From: 1, To: 9, By: 2, Every: time.Second}},
		"spike 10/s to 90/s for 2s":       {Spike: &Spike{Base: 10, Peak: 90, For: 2 * time.Second}},
		"sine 100/s ± 50/s every 1m0s":    {Sine: &Sine{Mean: 100, Amplitude: 50, Period: time.Minute}},
		"20/m":                            holdAt(1. / 3),
	} {
		if got := c.String(); got != shape {
			t.Errorf("%q, want %q", got, shape)
		}
	}
}
