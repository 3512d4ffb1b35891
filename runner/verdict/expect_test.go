package verdict

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestExpectGivesTheKindThatIsSet(t *testing.T) {
	if c := (&Expect{}).Check(); c != nil {
		t.Errorf("an empty expectation is %T", c)
	}
	kinds := reflect.TypeFor[Expect]()
	for i := range kinds.NumField() {
		field := kinds.Field(i)
		if field.Tag.Get("oneof") != "kind" {
			t.Errorf("%s is not one of the kinds", field.Name)
		}
		var e Expect
		set := reflect.New(field.Type.Elem())
		reflect.ValueOf(&e).Elem().Field(i).Set(set)
		if got := e.Check(); got == nil || reflect.ValueOf(got).Pointer() != set.Pointer() {
			t.Errorf("%s set, but the check is %T", field.Name, got)
		}
		if _, ok := set.Interface().(fmt.Stringer); !ok {
			t.Errorf("%s has no name in one line", field.Name)
		}
		if _, ok := set.Interface().(resting); !ok {
			t.Errorf("%s does not say what it rests on", field.Name)
		}
	}
}

func TestEveryFieldIsDescribed(t *testing.T) {
	kinds := reflect.TypeFor[Expect]()
	for i := range kinds.NumField() {
		spec := kinds.Field(i).Type.Elem()
		for k := range spec.NumField() {
			f := spec.Field(k)
			if f.Tag.Get("yaml") == "" || len(f.Tag.Get("doc")) < 10 {
				t.Errorf("%s.%s lacks a yaml name or a description", spec.Name(), f.Name)
			}
		}
	}
}

func TestValidateFindsWhatCannotBeJudged(t *testing.T) {
	few := of[CountLimit](t, "< 5")
	for _, c := range []struct {
		spec interface {
			Validate(func(field, format string, args ...any))
		}
		field, says string // says "": it is valid
	}{
		{&Latency{}, "", "nothing to judge"},
		{&Latency{P99: of[DurationLimit](t, "< 1s")}, "", ""},
		{&Errors{}, "", "exactly one of ratio"},
		{&Errors{Count: few, Ratio: of[RatioLimit](t, "< 1%")}, "", "exactly one of ratio"},
		{&Errors{Count: few}, "", ""},
		{&Rate{}, "", "exactly one of attained"},
		{&Rate{Attained: of[RatioLimit](t, "> 99%")}, "", ""},
		{&Availability{AtLeast: of[Share](t, "0%")}, "at_least", "always met"},
		{&Availability{AtLeast: of[Share](t, "99.9%")}, "", ""},
		{&Recovery{}, "within", "above zero"},
		{&Recovery{Within: time.Second, Hold: ms}, "hold", "at least 1s"},
		{&Recovery{Within: time.Second, LatencyFactor: 0.5}, "latency_factor", "below 1"},
		{&Recovery{Within: time.Second, After: "a", Steady: "a"}, "steady", "recover to itself"},
		{&Recovery{Within: time.Second, After: "a", Steady: "b"}, "", ""},
		{&Arrivals{Count: few}, "", "link and target"},
		{&Arrivals{Count: few, Target: "users"}, "metric", "counter to read"},
		{&Arrivals{Count: few, Link: "a->b", Metric: "m"}, "metric", "its own counter"},
		{&Arrivals{Link: "a->b"}, "", "exactly one of count"},
		{&Arrivals{Link: "a->b", Count: few}, "", ""},
		{&Metric{}, "", "exactly one of value"},
		{&Metric{Max: of[NumberLimit](t, "< 1")}, "", ""},
		{&Target{}, "", "nothing to judge"},
		{&Target{Restarts: few}, "", ""},
		{&Breaker{Target: "a", Link: "a->b"}, "", "nothing to judge"},
		{&Breaker{Target: "a", Link: "b->c", Probes: 1}, "link", "does not begin at a"},
		{&Breaker{Target: "a", Link: "a->b", Probes: -1, OpensWithin: time.Second}, "probes", "negative"},
		{&Breaker{Target: "a", Link: "a->b", OpensWithin: time.Second}, "", ""},
	} {
		var said []string
		c.spec.Validate(func(field, format string, args ...any) {
			said = append(said, field+"|"+fmt.Sprintf(format, args...))
		})
		got := strings.Join(said, "\n")
		if c.says == "" && got != "" || c.says != "" && (len(said) != 1 || !strings.HasPrefix(got, c.field+"|") || !strings.Contains(got, c.says)) {
			t.Errorf("%+v: said %q, want %q of field %q", c.spec, got, c.says, c.field)
		}
		if strings.Contains(got, "%!") {
			t.Errorf("badly formatted: %q", got)
		}
	}
}

func TestNamesReadAsSentences(t *testing.T) {
	for want, c := range map[string]fmt.Stringer{
		"browse p99 < 50ms during steady": &Latency{Load: "browse", P99: of[DurationLimit](t, "<50ms"), During: Phases{"steady"}},
		"browse service time p50 < 5ms, max < 1s during the whole run": &Latency{Load: "browse", Of: "service",
			P50: of[DurationLimit](t, "< 5ms"), Max: of[DurationLimit](t, "< 1s")},
		"browse http-5xx or 429 < 0.1% during steady and peak": &Errors{Load: "browse", Ratio: of[RatioLimit](t, "< 0.1%"),
			Classes: []Class{*of[Class](t, "http-5xx")}, Codes: []int{429}, During: Phases{"steady", "peak"}},
		"browse offered load > 99% of planned during steady":               &Rate{Load: "browse", Attained: of[RatioLimit](t, "> 99%"), During: Phases{"steady"}},
		"browse availability >= 99.9% during the whole run":                &Availability{Load: "browse", AtLeast: of[Share](t, "99.9%")},
		"browse recovers within 8s after outage":                           &Recovery{Load: "browse", Within: 8 * time.Second, After: "outage"},
		"calls arriving at gateway->users < 20 during outage":              &Arrivals{Link: "gateway->users", Count: of[CountLimit](t, "< 20"), During: Phases{"outage"}},
		`gateway breaker_state{breaker="users"} max < 1 during a, b and c`: &Metric{Target: "gateway", Name: "breaker_state", Labels: map[string]string{"breaker": "users"}, Max: of[NumberLimit](t, "< 1"), During: Phases{"a", "b", "c"}},
		"users stays alive, restarts = 1":                                  &Target{Target: "users", Alive: new(true), Restarts: of[CountLimit](t, "= 1")},
		"breaker of gateway->users: opens within 1s of outage, sheds 100%, closes within 10s of the heal": &Breaker{Target: "gateway", Link: "users", During: "outage",
			OpensWithin: time.Second, Sheds: of[Share](t, "100%"), ClosesWithin: 10 * time.Second},
	} {
		if got := c.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
