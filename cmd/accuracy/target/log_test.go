package target

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLogIsReadAsItWasWritten(t *testing.T) {
	l := NewLog(program(t, "stall 0s 1s", 1), 3, 2)
	for i, n := range []uint64{5, unnumbered, 9, 11} {
		e, _ := l.arrive(n, time.Duration(i+1)*time.Millisecond)
		if i == 3 {
			if e != nil {
				t.Error("a fourth call had room in a log for three")
			}
			e.end(time.Hour, Answered) // must not harm
		} else if i != 2 {
			e.end(time.Duration(i+1)*time.Second, Failed)
		}
	}
	l.message(Message{5, 0, 1, 2})
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(&b)
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Millisecond
	want := []Call{
		{5, 1 * ms, time.Second, 1 * time.Second, Failed},
		{1, 2 * ms, 999 * ms, 2 * time.Second, Failed},
		{9, 3 * ms, 998 * ms, 0, Pending},
	}
	if !slices.Equal(got.Calls, want) || !slices.Equal(got.Messages, []Message{{5, 0, 1, 2}}) || got.Total != 4 || got.Lost != 1 {
		t.Errorf("%+v", got)
	}
}

func TestDamagedLogIsNotRead(t *testing.T) {
	for _, text := range []string{"", "call 1 2 3 4 5\n", "total 1 0\ncall 1 2 3\n", "total 1 0\ncall 1 2 x 4 5\n", "total 1\n", "total 1 0\nother 1\n", "total 1 0 0 0 0 0\n"} {
		if r, err := ReadRecord(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
}

func TestClockIsThatOfTheKernel(t *testing.T) {
	c := NewClock()
	for range 100 {
		before := monotonic()
		now := c.Now()
		after := monotonic()
		// The clocks were tied together with an error of less than they differ here.
		if slack := 100 * time.Microsecond; now < before-slack || now > after+slack {
			t.Fatalf("the clock says %v, the kernel %v to %v", now, before, after)
		}
	}
}
