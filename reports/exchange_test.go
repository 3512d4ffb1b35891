package reports

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/perf/benchfmt"

	"ordeal/runner/verdict"
)

func TestCSV(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(written(t, known(t), "csv", Selection{}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cell := func(load, phase, column string) string {
		t.Helper()
		i := slices.Index(rows[0], column)
		for _, r := range rows[1:] {
			if i >= 0 && r[slices.Index(rows[0], "load")] == load && r[slices.Index(rows[0], "phase")] == phase {
				return r[i]
			}
		}
		t.Fatalf("no column %q, or no row of %s in %s", column, load, phase)
		return ""
	}
	if len(rows) != 5 {
		t.Errorf("%d rows, want a header and two loads in two phases, warmup left out", len(rows))
	}
	for _, c := range []struct{ load, phase, column, want string }{
		{"browse", "steady", "calls", "1000"}, {"browse", "steady", "calls_per_second", "500"}, {"browse", "steady", "took_ms", "2000"},
		{"browse", "steady", "response_mean_ms", "3.47"}, {"browse", "steady", "response_p99.9_ms", ""}, {"browse", "steady", "response_max_ms", "100"},
		{"browse", "steady", "service_mean_ms", "2.47"}, {"browse", "steady", "send_lag_max_ms", "1"},
		{"browse", "outage", "planned", "200"}, {"browse", "outage", "unissued", "100"}, {"browse", "outage", "errors", "80"},
		{"browse", "outage", "timeouts", "25"}, {"browse", "outage", "sent_late", "4"}, {"browse", "outage", "bytes", "10000"},
		{"browse", "steady", "messages", ""}, {"streams", "steady", "messages", "2000"}, {"streams", "steady", "messages_unanswered", "4"}, {"browse", "steady", "messages_unanswered", ""}, {"streams", "steady", "message_response_max_ms", "60"},
		{"streams", "steady", "message_service_max_ms", "10"}, {"streams", "steady", "message_send_lag_max_ms", "50"},
		{"streams", "outage", "calls", "0"}, {"streams", "outage", "response_max_ms", ""}, {"streams", "outage", "response_mean_ms", ""},
	} {
		if got := cell(c.load, c.phase, c.column); got != c.want {
			t.Errorf("%s of %s in %s is %q, want %q", c.column, c.load, c.phase, got, c.want)
		}
	}
	if got, err := strconv.ParseFloat(cell("browse", "steady", "response_p99_ms"), 64); err != nil || math.Abs(got-100) > 0.2 {
		t.Errorf("p99 is %v (%v), want 100", got, err)
	}
}

func TestCSVOfAClosedModelHasNoPlan(t *testing.T) {
	d := build(t, open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())
	rows, err := csv.NewReader(strings.NewReader(written(t, d, "csv", Selection{Loads: []string{"lookups"}, Phases: []string{"steady"}}))).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, column := range []string{"planned", "unissued"} {
		if got := rows[1][slices.Index(rows[0], column)]; got != "" {
			t.Errorf("%s is %q in a closed model, want nothing", column, got)
		}
	}
}

func TestCSVIsNotRunByASpreadsheet(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "-x": "'-x", "+x": "'+x", "a=b": "a=b", "": ""} {
		if got := csvText(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// results reads what benchstat would.
func results(t *testing.T, text string) []*benchfmt.Result {
	t.Helper()
	var all []*benchfmt.Result
	in := benchfmt.NewReader(strings.NewReader(text), "test")
	for in.Scan() {
		switch r := in.Result().(type) {
		case *benchfmt.Result:
			all = append(all, r.Clone())
		case *benchfmt.SyntaxError:
			t.Errorf("benchstat would not read it: %v", r)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBenchfmt(t *testing.T) {
	rs := results(t, written(t, known(t), "benchfmt", Selection{}))
	var names []string
	for _, r := range rs {
		names = append(names, r.Name.String())
	}
	// A phase without calls has no line.
	if want := []string{"Load/load=browse/phase=steady", "Load/load=browse/phase=outage", "Load/load=streams/phase=steady"}; !slices.Equal(names, want) {
		t.Fatalf("benchmarks %q, want %q", names, want)
	}
	for _, c := range []struct {
		i     int
		unit  string
		value float64
		exact bool
	}{
		{0, "sec/op", 0.00347, true}, {0, "p99-sec", 0.1, false}, {0, "max-sec", 0.1, true}, {0, "calls/s", 500, true}, {0, "errors/op", 0, true},
		{0, "service-sec/op", 0.00247, true}, {0, "lag-max-sec", 0.001, true},
		{1, "errors/op", 0.8, true}, {1, "calls/s", 100, true},
		{2, "message-max-sec", 0.06, true}, {2, "messages/s", 1000, true},
	} {
		got, ok := rs[c.i].Value(c.unit)
		if off := math.Abs(got - c.value); !ok || c.exact && off > 1e-12 || off > c.value/500 {
			t.Errorf("%s has %v %s, want %v", names[c.i], got, c.unit, c.value)
		}
	}
	if _, told := rs[0].Value("p99.9-sec"); told || rs[0].Iters != 1000 {
		t.Errorf("p99.9 of %d calls is told", rs[0].Iters)
	}
	for key, want := range map[string]string{"goos": "linux", "goarch": "amd64", "scenario": "known", "host": "bench-1", "cpus": "2", "commit": "0123456789abcdef0123"} {
		if got := rs[0].GetConfig(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestBenchfmtOfHostileNamesIsRead(t *testing.T) {
	run, j := hostileRun(t)
	if rs := results(t, written(t, build(t, run, j), "benchfmt", Selection{})); len(rs) != 6 {
		t.Errorf("%d results, want 6", len(rs))
	}
}

// metrics reads what Prometheus would.
func metrics(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// find gives the only metric of a name with these labels, "load=browse".
func find(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) *dto.Metric {
	t.Helper()
	var found []*dto.Metric
	for _, m := range families[name].GetMetric() {
		var have []string
		for _, p := range m.Label {
			have = append(have, p.GetName()+"="+p.GetValue())
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) }) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d metrics are %s with %v, want one", len(found), name, labels)
	}
	return found[0]
}

func TestPrometheus(t *testing.T) {
	all := metrics(t, written(t, known(t), "prometheus", Selection{}))
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"ordeal_run_status", []string{"scenario=known", "status=inconclusive"}, 1},
		{"ordeal_run_status", []string{"scenario=known", "status=pass"}, 0},
		{"ordeal_check_status", []string{"check=browse p99.9 < 1s", "load=browse", "phase=steady", "status=inconclusive", "group=expectation"}, 1},
		{"ordeal_check_status", []string{"check=browse p99.9 < 1s", "status=fail"}, 0},
		{"ordeal_run_duration_seconds", nil, 4},
		{"ordeal_load_calls", []string{"scenario=known", "load=browse", "phase=outage"}, 100},
		{"ordeal_load_unissued_calls", []string{"load=browse", "phase=outage"}, 100},
		{"ordeal_load_late_calls", []string{"load=browse", "phase=outage"}, 4},
		{"ordeal_load_calls_by_class", []string{"load=browse", "phase=outage", "class=timeout"}, 25},
		{"ordeal_load_calls_by_class", []string{"load=streams", "phase=steady", "class=grpc-status"}, 10},
		{"ordeal_load_response_max_seconds", []string{"load=browse", "phase=steady"}, 0.1},
		{"ordeal_load_messages", []string{"load=streams", "phase=steady"}, 2000},
		{"ordeal_load_unanswered_messages", []string{"load=streams", "phase=steady"}, 4},
		{"ordeal_load_calls", []string{"load=streams", "phase=outage"}, 0},
	} {
		if got := find(t, all, c.name, c.labels...).GetGauge().GetValue(); got != c.want {
			t.Errorf("%s %v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	s := find(t, all, "ordeal_load_response_seconds", "load=browse", "phase=steady").GetSummary()
	if s.GetSampleCount() != 1000 || math.Abs(s.GetSampleSum()-3.47) > 1e-9 || len(s.Quantile) != 4 {
		t.Errorf("the summary is %v, want 1000 calls, 3.47 s, and the quantiles up to 0.99", s)
	}
	for _, q := range s.Quantile {
		if want := map[float64]float64{0.5: 0.002, 0.9: 0.002, 0.95: 0.002, 0.99: 0.1}[q.GetQuantile()]; math.Abs(q.GetValue()-want) > want/500 {
			t.Errorf("quantile %v is %v, want %v", q.GetQuantile(), q.GetValue(), want)
		}
	}
	for _, m := range all["ordeal_load_response_seconds"].GetMetric() {
		if m.GetSummary().GetSampleCount() == 0 {
			t.Error("a phase without calls has a response time")
		}
	}
}

func TestPrometheusOfHostileNamesIsRead(t *testing.T) {
	run, j := hostileRun(t)
	j.Checks = append(j.Checks, j.Checks[0]) // the same labels twice would be refused as a whole
	all := metrics(t, written(t, build(t, run, j), "prometheus", Selection{}))
	if n := len(all["ordeal_load_calls"].GetMetric()); n != 6 {
		t.Errorf("%d loads and phases, want 6", n)
	}
	seen := make(map[string]bool)
	for name, f := range all {
		for _, m := range f.GetMetric() {
			id := name
			for _, p := range m.Label {
				id += "\x00" + p.GetName() + "=" + p.GetValue()
			}
			if seen[id] {
				t.Errorf("twice: %q", id)
			}
			seen[id] = true
		}
	}
}

func TestFormatsOfNothing(t *testing.T) {
	run := emptyRun(t, breakerMeta(), "completed")
	d := build(t, run, verdict.Judgement{Status: verdict.Inconclusive})
	if rows, err := csv.NewReader(strings.NewReader(written(t, d, "csv", Selection{}))).ReadAll(); err != nil || len(rows) != 1 {
		t.Errorf("%d rows and %v, want the header", len(rows), err)
	}
	if rs := results(t, written(t, d, "benchfmt", Selection{})); len(rs) != 0 {
		t.Errorf("%d benchmarks of a run without calls", len(rs))
	}
	all := metrics(t, written(t, d, "prometheus", Selection{}))
	if all["ordeal_load_calls"] != nil || find(t, all, "ordeal_run_status", "status=inconclusive").GetGauge().GetValue() != 1 {
		t.Error("a run without phases has loads, or no status")
	}
	for _, format := range []string{"vegeta", "hgrm"} {
		r, _ := renderer(t, format, Selection{Loads: []string{"browse"}})
		var b bytes.Buffer
		if err := r(&b, d); err == nil || b.Len() > 0 {
			t.Errorf("%s of nothing: %v and %d bytes, want an error and none", format, err, b.Len())
		}
	}
}

func TestOnlyFiguresAndCallsCanBeSelected(t *testing.T) {
	for _, name := range Formats() {
		f, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Of(Selection{Loads: []string{"browse"}})
		whole := slices.Contains([]string{"terminal", "html", "json", "junit", "markdown"}, name)
		if (err != nil) != whole {
			t.Errorf("%s with a load: %v", name, err)
		}
	}
	if _, err := ByName("pdf"); err == nil || !strings.Contains(err.Error(), "vegeta") {
		t.Errorf("an unknown format: %v", err)
	}
}
