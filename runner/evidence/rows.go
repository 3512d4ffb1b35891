package evidence

// sampleRow is a row of samples/*.parquet. Rows are sorted by load and seq
// within a row group, which makes most columns nearly free.
type sampleRow struct {
	Load     int64  `parquet:"load,dict"`
	LoadName string `parquet:"load_name,dict"`
	Seq      uint64 `parquet:"seq,delta"`
	Intended int64  `parquet:"intended_ns,delta"`
	Sent     int64  `parquet:"sent_ns,delta"`
	Done     int64  `parquet:"done_ns,delta"`
	Class    string `parquet:"class,dict"`
	Code     int64  `parquet:"code,dict"`
	Bytes    int64  `parquet:"bytes,delta"`
	Backend  string `parquet:"backend,dict"`
	Mark     string `parquet:"mark,dict"`
}

// messageRow is a row of messages/*.parquet, sorted by load, call and number
// within a row group.
type messageRow struct {
	Load     int64  `parquet:"load,dict"`
	LoadName string `parquet:"load_name,dict"`
	Call     uint64 `parquet:"call,delta"`
	N        uint64 `parquet:"n,delta"`
	Intended int64  `parquet:"intended_ns,delta"`
	Sent     int64  `parquet:"sent_ns,delta"`
	Done     int64  `parquet:"done_ns,delta"`
	Class    string `parquet:"class,dict"`
}

// pointRow is a row of series/*.parquet, sorted by series and then time within
// a row group.
type pointRow struct {
	At     int64   `parquet:"at_ns,delta"`
	Target string  `parquet:"target,dict"`
	Name   string  `parquet:"name,dict"`
	Labels string  `parquet:"labels,dict"`
	Value  float64 `parquet:"value,plain"`
}
