package chaos

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// problems gives what Validate says of a spec and its kind.
func problems(s Spec) []string {
	var all []string
	bad := func(field, format string, args ...any) {
		all = append(all, field+": "+fmt.Sprintf(format, args...))
	}
	s.Validate(bad)
	_, kinds := s.set()
	for _, k := range kinds {
		k.Validate(bad)
	}
	return all
}

func TestValidSpecs(t *testing.T) {
	for want, s := range map[string]Spec{
		"latency 300ms ± 50ms on a->b":                        {Link: "a->b", Latency: &Latency{Delay: 300 * time.Millisecond, Jitter: 50 * time.Millisecond}},
		"latency 1s up for 50% of connections on a->b":        {Link: "a->b", Latency: &Latency{Delay: time.Second, Direction: up, Share: 50}},
		"bandwidth 100KB/s on a->b":                           {Link: "a->b", Bandwidth: &Bandwidth{Rate: 100_000}},
		"blackhole down on a->b":                              {Link: "a->b", Blackhole: &Blackhole{Direction: down}},
		"reset after 1s on a->b":                              {Link: "a->b", Reset: &Reset{After: time.Second}},
		"slicer 100B ± 99B every 1ms on a->b":                 {Link: "a->b", Slicer: &Slicer{Size: 100, Variation: 99, Delay: time.Millisecond}},
		"limit_data 5KB both on a->b":                         {Link: "a->b", LimitData: &LimitData{Bytes: 5000, Direction: both}},
		"slow_close 1s on a->b":                               {Link: "a->b", SlowClose: &SlowClose{Delay: time.Second, Direction: both}},
		"refuse on client->a":                                 {Link: "client->a", Refuse: &Refuse{}},
		"kill, restart after 3s on users":                     {Target: "users", Kill: &Kill{Restart: 3 * time.Second}},
		"pause, replica 2 on users":                           {Target: "users", Pause: &Pause{Replica: 2}},
		"restart on users":                                    {Target: "users", Restart: &Restart{}},
		"pod_kill 1 on gateway":                               {Target: "gateway", PodKill: &PodKill{}},
		"pod_kill all, grace 5s on gateway":                   {Target: "gateway", PodKill: &PodKill{Count: All, Grace: 5 * time.Second}},
		"pod_unready 2 on gateway":                            {Target: "gateway", PodUnready: &PodUnready{Count: 2}},
		"pod_stuck all on gateway":                            {Target: "gateway", PodStuck: &PodStuck{Count: All}},
		"crash_loop on gateway":                               {Target: "gateway", CrashLoop: &CrashLoop{}},
		"drain on node n1":                                    {Node: "n1", Drain: &Drain{}},
		"drain on gateway":                                    {Target: "gateway", Drain: &Drain{}},
		"blackhole for 12.5% of connections on a->b":          {Link: "a->b", Blackhole: &Blackhole{Direction: both, Share: 12.5}},
		"refuse new connections on client->a":                 {Link: "client->a", Refuse: &Refuse{Keep: true}},
		"bandwidth 1.5MB/s up for 10% of connections on a->b": {Link: "a->b", Bandwidth: &Bandwidth{Rate: 1.5e6, Direction: up, Share: 10}},
	} {
		if p := problems(s); len(p) > 0 {
			t.Errorf("%s: %q", want, p)
		}
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestInvalidSpecs(t *testing.T) {
	on := func(s Spec) Spec { s.Link = "a->b"; return s }
	for _, c := range []struct {
		spec Spec
		want string // the one problem starts so
	}{
		{Spec{Link: "a->b"}, ": want exactly one kind"},
		{on(Spec{Reset: &Reset{}, Refuse: &Refuse{}}), ": want exactly one kind"},
		{Spec{Latency: &Latency{Delay: 1}}, ": want the link that latency"},
		{Spec{Kill: &Kill{}}, ": want the target that kill"},
		{Spec{Target: "users", Latency: &Latency{Delay: 1}}, "target: latency acts on a link"},
		{on(Spec{Kill: &Kill{}}), "link: kill acts on a target"},
		{Spec{Link: "a->b", Target: "users", Kill: &Kill{}}, "target: want either"},
		{on(Spec{Latency: &Latency{}}), "delay: want a time above 0s"},
		{on(Spec{Latency: &Latency{Delay: -time.Second}}), "delay: want a time of 0s or more"},
		{on(Spec{Latency: &Latency{Delay: time.Hour + 1}}), "delay: want at most 1h"},
		{on(Spec{Latency: &Latency{Delay: time.Second, Jitter: time.Second + 1}}), "jitter: want at most the delay"},
		{on(Spec{Latency: &Latency{Delay: time.Second, Jitter: -1}}), "jitter: want a time of 0s"},
		{on(Spec{Latency: &Latency{Delay: time.Second, Direction: "sideways"}}), "direction: want up, down or both"},
		{on(Spec{Latency: &Latency{Delay: time.Second, Share: 101}}), "share: want a share above"},
		{on(Spec{Latency: &Latency{Delay: time.Second, Share: -1}}), "share: want a share above"},
		{on(Spec{Bandwidth: &Bandwidth{}}), "rate: want a rate above 0"},
		{on(Spec{Bandwidth: &Bandwidth{Rate: -1}}), "rate: want a rate above 0"},
		{on(Spec{Bandwidth: &Bandwidth{Rate: ByteRate(math.NaN())}}), "rate: want a rate above 0"},
		{on(Spec{Bandwidth: &Bandwidth{Rate: ByteRate(math.Inf(1))}}), "rate: want at most"},
		{on(Spec{Bandwidth: &Bandwidth{Rate: 0.5}}), "rate: want at least"},
		{on(Spec{Blackhole: &Blackhole{Share: Share(math.NaN())}}), "share: want a share above"},
		{on(Spec{Reset: &Reset{After: -1}}), "after: want a time of 0s"},
		{on(Spec{Reset: &Reset{After: 2 * time.Hour}}), "after: want at most"},
		{on(Spec{Slicer: &Slicer{}}), "size: want a size of 1B"},
		{on(Spec{Slicer: &Slicer{Size: -5}}), "size: want a size of 1B"},
		{on(Spec{Slicer: &Slicer{Size: 5, Variation: 5}}), "variation: want less than size"},
		{on(Spec{Slicer: &Slicer{Size: 5, Variation: -1}}), "variation: want a size of 0B"},
		{on(Spec{Slicer: &Slicer{Size: 5, Delay: -1}}), "delay: want a time of 0s"},
		{on(Spec{LimitData: &LimitData{}}), "bytes: want a size of 1B"},
		{on(Spec{SlowClose: &SlowClose{}}), "delay: want a time above 0s"},
		{Spec{Target: "users", Kill: &Kill{Restart: -1}}, "restart: want a time of 0s"},
		{on(Spec{PodKill: &PodKill{}}), "link: pod_kill acts on a target"},
		{Spec{PodKill: &PodKill{}}, ": want the target that pod_kill"},
		{Spec{Node: "n1", PodKill: &PodKill{}}, "node: pod_kill does not act on a node"},
		{Spec{Node: "n1", Kill: &Kill{}}, "node: kill does not act on a node"},
		{Spec{Node: "n1", Latency: &Latency{Delay: 1}}, "node: latency does not act on a node"},
		{Spec{Node: "n1", Target: "gateway", Drain: &Drain{}}, "node: want either node or target"},
		{on(Spec{Drain: &Drain{}}), "link: drain acts on a node"},
		{Spec{Drain: &Drain{}}, ": want the node that drain"},
		{Spec{Target: "gateway", PodKill: &PodKill{Count: -2}}, "count: want a number of 1"},
		{Spec{Target: "gateway", PodUnready: &PodUnready{Count: -2}}, "count: want a number of 1"},
		{Spec{Target: "gateway", PodKill: &PodKill{Grace: -1 * time.Second}}, "grace: want a time of 0s"},
		{Spec{Target: "gateway", PodKill: &PodKill{Grace: 1500 * time.Millisecond}}, "grace: want whole seconds"},
		{Spec{Target: "users", Restart: &Restart{Replica: -1}}, "replica: want the number"},
	} {
		got := problems(c.spec)
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%+v: got %q, want %q", c.spec, got, c.want)
		}
		if _, err := c.spec.Fault(Env{}); err == nil {
			t.Errorf("%+v: a fault is made all the same", c.spec)
		}
	}
}

func TestEveryKindIsWhole(t *testing.T) {
	typ := reflect.TypeFor[Spec]()
	kinds := 0
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Tag.Get("doc") == "" || field.Tag.Get("yaml") == "" {
			t.Errorf("%s is not described", field.Name)
		}
		if field.Tag.Get("oneof") == "" {
			continue
		}
		kinds++
		var s Spec
		reflect.ValueOf(&s).Elem().Field(i).Set(reflect.New(field.Type.Elem()))
		names, set := s.set()
		_, onLink := set[0].(linkKind)
		_, onTarget := set[0].(processKind)
		_, onPods := set[0].(clusterKind)
		places := 0
		for _, on := range []bool{onLink, onTarget, onPods} {
			if on {
				places++
			}
		}
		if places != 1 {
			t.Errorf("%s acts in %d ways, want one of links, processes and Pods", names[0], places)
		}
		for j := range field.Type.Elem().NumField() {
			attr := field.Type.Elem().Field(j)
			if attr.Tag.Get("doc") == "" || attr.Tag.Get("yaml") == "" {
				t.Errorf("%s.%s is not described", field.Name, attr.Name)
			}
			if d, ok := attr.Tag.Lookup("default"); ok && attr.Name == "Direction" {
				if got := wayOf(set[0]); got != d {
					t.Errorf("%s: direction is %s unless given, its tag says %s", names[0], got, d)
				}
			}
		}
	}
	if want := len(conformants()) - 1 + 3 + 5; kinds != want { // reset is there twice, three act on processes, five in a cluster
		t.Errorf("%d kinds, but the conformance suite knows %d", kinds, want)
	}
}

func TestConflicts(t *testing.T) {
	on := func(s Spec) Spec { s.Link = "a->b"; return s }
	latency := on(Spec{Latency: &Latency{Delay: 1}})
	for _, c := range []struct {
		a, b Spec
		want string
	}{
		{latency, on(Spec{Bandwidth: &Bandwidth{Rate: 1}}), ""},
		{latency, latency, "latency acts on a->b twice"},
		{latency, on(Spec{Latency: &Latency{Delay: 1, Direction: up}}), ""},
		{latency, on(Spec{Latency: &Latency{Delay: 1, Direction: both}}), "latency acts on a->b twice"},
		{latency, on(Spec{Blackhole: &Blackhole{}}), "blackhole leaves latency nothing"},
		{latency, on(Spec{Blackhole: &Blackhole{Direction: up}}), ""},
		{latency, on(Spec{Blackhole: &Blackhole{Share: 50}}), ""},
		{latency, on(Spec{Reset: &Reset{}}), "reset leaves latency nothing"},
		{latency, on(Spec{Reset: &Reset{After: 1}}), ""},
		{latency, on(Spec{Refuse: &Refuse{}}), "refuse leaves latency nothing"},
		{latency, on(Spec{Refuse: &Refuse{Keep: true}}), ""},
		{latency, Spec{Link: "b->c", Blackhole: &Blackhole{}}, ""},
		{latency, Spec{Target: "b", Kill: &Kill{}}, ""},
		{Spec{Target: "b", Pause: &Pause{}}, Spec{Target: "b", Kill: &Kill{}}, "cannot both act"},
		{Spec{Target: "b", Pause: &Pause{Replica: 1}}, Spec{Target: "b", Kill: &Kill{Replica: 2}}, ""},
		{Spec{Target: "b", Pause: &Pause{Replica: 1}}, Spec{Target: "b", Kill: &Kill{}}, "cannot both act"},
		{Spec{Target: "b", Pause: &Pause{}}, Spec{Target: "c", Kill: &Kill{}}, ""},
		{Spec{Target: "b", PodKill: &PodKill{}}, Spec{Target: "b", PodUnready: &PodUnready{}}, "cannot both act on the Pods of b"},
		{Spec{Target: "b", PodKill: &PodKill{}}, Spec{Target: "c", PodKill: &PodKill{}}, ""},
		{Spec{Node: "n", Drain: &Drain{}}, Spec{Node: "n", Drain: &Drain{}}, "drain acts on node n twice"},
		{Spec{Node: "n", Drain: &Drain{}}, Spec{Node: "m", Drain: &Drain{}}, ""},
		{Spec{Node: "n", Drain: &Drain{}}, Spec{Target: "b", PodKill: &PodKill{}}, ""},
	} {
		for _, got := range []string{Conflicts(&c.a, &c.b), Conflicts(&c.b, &c.a)} {
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%s with %s: got %q, want %q", &c.a, &c.b, got, c.want)
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]ByteRate{
		"100KB/s": 100_000, "100kB/s": 100_000, "1 MiB/s": 1 << 20, "2Mbit/s": 250_000, "64kbit/s": 8000, "1.5GB/s": 1.5e9, "7B/s": 7, "0KB/s": 0, "-1KB/s": -1000,
	} {
		var r ByteRate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q: got %v, %v", text, float64(r), err)
		}
	}
	for text, want := range map[string]Size{"512": 512, "10KB": 10_000, "4MiB": 4 << 20, "3B": 3, "-1": -1} {
		var z Size
		if err := z.UnmarshalText([]byte(text)); err != nil || z != want {
			t.Errorf("%q: got %d, %v", text, int64(z), err)
		}
	}
	for _, text := range []string{"", "100", "100KB", "KB/s", "fast", "1e400B/s", "NaNB/s", "InfB/s", "100KB/m"} {
		var r ByteRate
		if err := r.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "100KB/s") {
			t.Errorf("rate %q: got %v, %v", text, float64(r), err)
		}
	}
	for _, text := range []string{"", "0.5", "10KB/s", "many", "1e30", "NaN"} {
		var z Size
		if err := z.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("size %q: got %d", text, int64(z))
		}
	}
	for _, text := range []string{"", "50", "0%", "-1%", "101%", "half", "NaN%"} {
		var s Share
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("share %q: got %v", text, float64(s))
		}
	}
	for text, want := range map[string]Count{"1": 1, "12": 12, "all": All} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); err != nil || c != want || c.String() != text {
			t.Errorf("%q: got %v, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "some", "1.5", "50%"} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("count %q: got %v", text, c)
		}
	}
	for _, text := range []string{"512B", "10KB", "1.5MB", "50%"} {
		var z Size
		var s Share
		got := ""
		if err := z.UnmarshalText([]byte(text)); err == nil {
			got = z.String()
		} else if err := s.UnmarshalText([]byte(text)); err == nil {
			got = s.String()
		}
		if got != text {
			t.Errorf("%q comes back as %q", text, got)
		}
	}
}
