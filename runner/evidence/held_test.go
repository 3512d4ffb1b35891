package evidence

import (
	"reflect"
	"testing"
)

// TestHeldSampleHasNoPointers: with one, the garbage collector looks through all
// that are held.
func TestHeldSampleHasNoPointers(t *testing.T) {
	held := reflect.TypeFor[heldSample]()
	for i := range held.NumField() {
		switch f := held.Field(i); f.Type.Kind() {
		case reflect.Int64, reflect.Uint64, reflect.Int32, reflect.Uint8:
		default:
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
	}
}

// TestStringTable: a string has one number, and another one has another, until all
// are forgotten.
func TestStringTable(t *testing.T) {
	var table stringTable
	for range 2 {
		numbers := map[string]int32{}
		for _, s := range []string{"", "a", "a", "b", "", "a", "c", "b", ""} {
			n := table.number(s)
			if before, ok := numbers[s]; ok && n != before {
				t.Errorf("%q is %d, and was %d", s, n, before)
			}
			numbers[s] = n
			if got := table.string(n); got != s {
				t.Errorf("%q is %d, which is %q", s, n, got)
			}
		}
		if len(table.all) != 3 {
			t.Errorf("%q for three strings", table.all)
		}
		table.forget()
		if len(table.all) != 0 || table.number("") != 0 {
			t.Errorf("%q are left", table.all)
		}
	}
}
