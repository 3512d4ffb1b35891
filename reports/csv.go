package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
)

// csvColumn is one column of the table of figures.
type csvColumn struct {
	title string
	cell  func(d *Document, l Load, f Figures) string
}

// CSV writes the figures as a table: a row for each load in each phase that is
// selected. Times are milliseconds, to the nanosecond. A cell is empty where
// there is nothing to tell: no plan, or a percentile with fewer than ten calls
// beyond it.
func CSV(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		s, err := of.in(d)
		if err != nil {
			return err
		}
		columns := csvColumns()
		record := make([]string, len(columns))
		for i, c := range columns {
			record[i] = c.title
		}
		out := csv.NewWriter(w)
		if err := out.Write(record); err != nil {
			return fmt.Errorf("write csv: %w", err)
		}
		for _, l := range s.loads {
			for _, f := range l.Phases {
				for i, c := range columns {
					record[i] = c.cell(d, l.Load, f)
				}
				if err := out.Write(record); err != nil {
					return fmt.Errorf("write csv: %w", err)
				}
			}
		}
		out.Flush()
		return out.Error()
	}
}

func csvColumns() []csvColumn {
	text := func(title string, of func(*Document, Load, Figures) string) csvColumn {
		return csvColumn{title, func(d *Document, l Load, f Figures) string { return csvText(of(d, l, f)) }}
	}
	count := func(title string, of func(Figures) int64) csvColumn {
		return csvColumn{title, func(_ *Document, _ Load, f Figures) string { return strconv.FormatInt(of(f), 10) }}
	}
	open := func(title string, of func(Figures) int64) csvColumn {
		return csvColumn{title, func(_ *Document, l Load, f Figures) string {
			if l.Closed() {
				return ""
			}
			return strconv.FormatInt(of(f), 10)
		}}
	}
	columns := []csvColumn{
		text("run", func(d *Document, _ Load, _ Figures) string { return d.Run.ID }),
		text("scenario", func(d *Document, _ Load, _ Figures) string { return d.Run.Scenario }),
		text("load", func(_ *Document, l Load, _ Figures) string { return l.Name }),
		text("phase", func(_ *Document, _ Load, f Figures) string { return f.Phase }),
		text("model", func(_ *Document, l Load, _ Figures) string { return l.Model }),
		text("took_ms", func(_ *Document, _ Load, f Figures) string { return csvTime(&f.Took) }),
		open("planned", func(f Figures) int64 { return f.Planned }),
		count("calls", func(f Figures) int64 { return f.Calls }),
		open("unissued", func(f Figures) int64 { return f.Unissued }),
		text("calls_per_second", func(_ *Document, _ Load, f Figures) string { return number(f.Rate) }),
		count("errors", func(f Figures) int64 { return f.Errors }),
		count("timeouts", func(f Figures) int64 { return f.Timeouts }),
		count("degraded", func(f Figures) int64 { return f.Degraded }),
		count("sent_late", func(f Figures) int64 { return f.Late }),
		count("bytes", func(f Figures) int64 { return f.Bytes }),
	}
	columns = append(columns, csvLatency("response", func(f Figures) Latency { return f.Response })...)
	columns = append(columns, csvLatency("service", func(f Figures) Latency { return f.Service })...)
	columns = append(columns, csvLatency("send_lag", func(f Figures) Latency { return f.Lag })...)
	messages := func(title string, of func(*MessageFigures) int64) csvColumn {
		return csvColumn{title, func(_ *Document, _ Load, f Figures) string {
			if f.Messages == nil {
				return ""
			}
			return strconv.FormatInt(of(f.Messages), 10)
		}}
	}
	columns = append(columns, messages("messages", func(m *MessageFigures) int64 { return m.Count }),
		messages("messages_unanswered", func(m *MessageFigures) int64 { return m.Unanswered }))
	of := func(pick func(*MessageFigures) Latency) func(Figures) Latency {
		return func(f Figures) Latency {
			if f.Messages == nil {
				return Latency{}
			}
			return pick(f.Messages)
		}
	}
	columns = append(columns, csvLatency("message_response", of(func(m *MessageFigures) Latency { return m.Response }))...)
	columns = append(columns, csvLatency("message_service", of(func(m *MessageFigures) Latency { return m.Service }))...)
	return append(columns, csvLatency("message_send_lag", of(func(m *MessageFigures) Latency { return m.Lag }))...)
}

func csvLatency(name string, of func(Figures) Latency) []csvColumn {
	var columns []csvColumn
	for _, q := range (Latency{}).figures() {
		columns = append(columns, csvColumn{name + "_" + q.name + "_ms", func(_ *Document, _ Load, f Figures) string {
			for _, have := range of(f).figures() {
				if have.name == q.name {
					return csvTime(have.value)
				}
			}
			return ""
		}})
	}
	return columns
}

// latencyFigure is one figure of a distribution; its value is nil where it is
// not told.
type latencyFigure struct {
	name     string
	quantile float64 // 0 for the mean
	value    *time.Duration
}

// figures lists a distribution's figures by the names that the field uses.
func (l Latency) figures() []latencyFigure {
	return []latencyFigure{
		{"mean", 0, l.Mean}, {"p50", 0.5, l.P50}, {"p90", 0.9, l.P90}, {"p95", 0.95, l.P95},
		{"p99", 0.99, l.P99}, {"p99.9", 0.999, l.P999}, {"max", 1, l.Max},
	}
}

func csvTime(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*d)/1e6, 'f', -1, 64)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// csvText keeps a name from being run as a formula where the table is opened
// in a spreadsheet.
func csvText(s string) string {
	s = clean(s)
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@') {
		return "'" + s
	}
	return s
}
