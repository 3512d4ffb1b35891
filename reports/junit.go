package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"ordeal/runner/verdict"
)

// JUnit writes junit.xml: one suite for the scenario, one case for every rule
// of validity and every expectation. A failed check is a <failure>; one that
// is inconclusive is an <error type="inconclusive">, which every CI system
// shows as not passed, and apart from a failure. <skipped> would be read as
// harmless.
func JUnit(w io.Writer, d *Document) error {
	j := d.Judgement
	suite := junitSuite{
		Name: clean(d.Run.Scenario), Time: junitSeconds(d.Run.End - d.Run.Start),
		Host: clean(d.Run.Host.Name), Stamp: d.Run.Base.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"run", clean(d.Run.ID)}, {"seed", fmt.Sprint(d.Run.Seed)}, {"outcome", string(d.Run.Outcome)},
			{"version", clean(d.Run.Build.Version)}, {"commit", clean(d.Run.Build.Commit)},
		},
	}
	for _, v := range j.Validity {
		suite.add("validity", v)
	}
	for _, v := range j.Checks {
		suite.add("expect", v)
	}
	if len(suite.Cases) == 0 || j.Status != verdict.Pass && suite.Failures+suite.Errors == 0 {
		// Whatever the reason, a run that did not pass must not be read as passed.
		suite.add("run", verdict.Verdict{Kind: "run", Name: "the run as a whole", Status: j.Status, Why: strings.TrimSpace(d.outcome() + " " + headline(j))})
	}
	all := junitSuites{Name: "ordeal", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: suite.Time, Suites: []junitSuite{suite}}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Stamp      string          `xml:"timestamp,attr"`
	Host       string          `xml:"hostname,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure"`
	Error   *junitDetail `xml:"error"`
	Out     string       `xml:"system-out,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(group string, v verdict.Verdict) {
	c := junitCase{Class: s.Name + "." + group + "." + clean(v.Kind), Name: clean(v.Name), Time: "0"}
	if c.Name == "" {
		c.Name = clean(v.Kind)
	}
	lines := figureLines(v)
	s.Tests++
	switch v.Status {
	case verdict.Pass:
		c.Out = lines
	case verdict.Inconclusive:
		s.Errors++
		c.Error = &junitDetail{Message: clean(v.Why), Type: "inconclusive", Text: lines}
	default:
		s.Failures++
		c.Failure = &junitDetail{Message: clean(v.Why), Type: clean(v.Kind), Text: lines}
	}
	s.Cases = append(s.Cases, c)
}

// figureLines are a verdict's figures and parts, one a line.
func figureLines(v verdict.Verdict) string {
	var lines []string
	if v.Measured != "" {
		l := "measured " + clean(v.Measured)
		if v.Limit != "" {
			l += ", limit " + clean(v.Limit)
		}
		if v.Margin != "" {
			l += ", margin " + clean(v.Margin)
		}
		lines = append(lines, l)
	}
	for _, p := range v.Parts {
		lines = append(lines, partLine(p))
	}
	return strings.Join(lines, "\n")
}

func junitSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d.Seconds())) }
