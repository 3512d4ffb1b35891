package targets

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestOutputOfTheNextLifeBeginsOnALineOfItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	o, err := newOutput(path)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	write := func(text string) {
		if _, err := o.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("started\nhalf a li")
	found := o.expect(regexp.MustCompile(`^ready \d$`))
	write("ready 2\nworking")
	select {
	case line := <-found:
		if line != "ready 2" {
			t.Errorf("found %q", line)
		}
	default:
		t.Error("the first line of the new life was not found")
	}
	if got, want := o.last(), "ready 2\nworking"; got != want {
		t.Errorf("its last output is %q, want %q without that of the life before", got, want)
	}
	kept, err := os.ReadFile(path)
	if want := "started\nhalf a li\nready 2\nworking"; err != nil || string(kept) != want {
		t.Errorf("kept %q (%v), want %q", kept, err, want)
	}
}

func TestOutputDoesNotMatchTheLineOfTheLifeBefore(t *testing.T) {
	o, err := newOutput("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("ready 1")); err != nil {
		t.Fatal(err)
	}
	select {
	case line := <-o.expect(regexp.MustCompile(`^ready \d$`)):
		t.Errorf("found %q, which the life before wrote", line)
	default:
	}
}
