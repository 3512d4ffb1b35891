package reports

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"ordeal/runner/evidence"
)

// hits reads results as Vegeta's commands do.
func hits(t *testing.T, text string) []vegeta.Result {
	t.Helper()
	decode := vegeta.DecoderFor(strings.NewReader(text))
	if decode == nil {
		t.Fatalf("Vegeta does not know the encoding of %.200q", text)
	}
	var all []vegeta.Result
	for {
		var r vegeta.Result
		err := decode(&r)
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

func written(t testing.TB, d *Document, format string, of Selection) string {
	t.Helper()
	r, _ := renderer(t, format, of)
	var b bytes.Buffer
	if err := r(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVegetaShowsTheTruth(t *testing.T) {
	d := known(t)
	var m vegeta.Metrics
	for _, r := range hits(t, written(t, d, "vegeta", Selection{Loads: []string{"browse"}})) {
		m.Add(&r)
	}
	m.Close()
	codes := map[string]int{"200": 1020, "503": 50, "0": 30}
	if m.Requests != 1100 || !maps.Equal(m.StatusCodes, codes) || m.BytesIn.Total != 110_000 {
		t.Errorf("Vegeta reports %d requests, codes %v and %d bytes", m.Requests, m.StatusCodes, m.BytesIn.Total)
	}
	if want := 1020.0 / 1100; m.Success < want-1e-9 || m.Success > want+1e-9 {
		t.Errorf("success is %v, want %v", m.Success, want)
	}
	if m.Latencies.Max != time.Second || m.Latencies.Min != 2*ms {
		t.Errorf("latencies from %v to %v, want 2ms to 1s", m.Latencies.Min, m.Latencies.Max)
	}
	if want := d.Run.Base.Add(at(1)); !m.Earliest.Equal(want) {
		t.Errorf("the first call was at %v, want %v", m.Earliest, want)
	}
	sort.Strings(m.Errors)
	if got := strings.Join(m.Errors, " "); got != "http-5xx reset timeout" {
		t.Errorf("errors are %q", got)
	}
}

func TestVegetaOfGRPC(t *testing.T) {
	codes, failed := make(map[uint16]int), make(map[string]int)
	for _, r := range hits(t, written(t, known(t), "vegeta", Selection{Loads: []string{"streams"}})) {
		codes[r.Code]++
		failed[r.Error]++
	}
	if !maps.Equal(codes, map[uint16]int{200: 40, 14: 10}) || failed["grpc-status"] != 10 {
		t.Errorf("codes %v, errors %v", codes, failed)
	}
}

// TestVegetaCanPlot holds what Vegeta's plot asks of its input: numbers without
// gaps, and times that do not go back as they grow, in milliseconds from the
// first. The evidence has neither: calls were not sent, and come backwards.
func TestVegetaCanPlot(t *testing.T) {
	d := known(t)
	for phase, calls := range map[string]int{"": 1150, "outage": 100, "warmup": 100} {
		var of Selection
		if phase != "" {
			of.Phases = []string{phase}
		}
		byAttack := make(map[string][]vegeta.Result)
		n := 0
		for _, r := range hits(t, written(t, d, "vegeta", of)) {
			byAttack[r.Attack] = append(byAttack[r.Attack], r)
			n++
		}
		if n != calls {
			t.Errorf("%d calls of phase %q, want %d", n, phase, calls)
		}
		for attack, rs := range byAttack {
			sort.Slice(rs, func(i, j int) bool { return rs[i].Seq < rs[j].Seq })
			before := int64(0)
			for i, r := range rs {
				now := r.Timestamp.Sub(rs[0].Timestamp).Milliseconds()
				if r.Seq != uint64(i) || now < before || r.Timestamp.Before(rs[0].Timestamp) {
					t.Fatalf("phase %q of %s: call %d has number %d at %d ms, after one at %d ms", phase, attack, i, r.Seq, now, before)
				}
				before = now
			}
		}
	}
}

// TestVegetaBeginsWithTheEarliestCall is of calls that share the millisecond
// from whose first call Vegeta's plot counts time.
func TestVegetaBeginsWithTheEarliestCall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := evidence.Create(dir, evidence.Meta{Scenario: "s", Loads: []evidence.LoadMeta{{Name: "a", Engine: "http"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Event(evidence.Event{Kind: evidence.PhaseStart, Phase: "steady"})
	for i := 4; i > 0; i-- {
		intended := time.Duration(i) * ms / 4
		w.Sample(evidence.Sample{Seq: uint64(i), Intended: intended, Sent: intended, Done: intended + ms, Code: 200})
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	d := build(t, open(t, dir), breakerJudgement())
	numbers := make(map[uint64]bool)
	for _, r := range hits(t, written(t, d, "vegeta", Selection{})) {
		numbers[r.Seq] = true
		if first := r.Timestamp.Equal(d.Run.Base.Add(ms / 4)); first != (r.Seq == 0) {
			t.Errorf("the call at %v has number %d", r.Timestamp.Sub(d.Run.Base), r.Seq)
		}
	}
	if len(numbers) != 4 || !numbers[3] {
		t.Errorf("numbers are %v, want 0 to 3", numbers)
	}
}

func TestVegetaOfNothingIsAnError(t *testing.T) {
	r, _ := renderer(t, "vegeta", Selection{Loads: []string{"streams"}, Phases: []string{"outage"}})
	var b bytes.Buffer
	err := r(&b, known(t))
	if err == nil || !strings.Contains(err.Error(), "no call of streams in outage") || b.Len() > 0 {
		t.Errorf("got %v and %d bytes", err, b.Len())
	}
}
