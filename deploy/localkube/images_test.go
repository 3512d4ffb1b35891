package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestImagesOfFlags(t *testing.T) {
	got := images{}
	for _, text := range []string{`web=["/bin/web"]`, `ordeal/users=["/bin/ordeal","target","users"]`, `web=["/bin/other","x=y"]`} {
		if err := got.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	want := images{"web": {"/bin/other", "x=y"}, "ordeal/users": {"/bin/ordeal", "target", "users"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestImagesOfTheReferenceServices(t *testing.T) {
	dir := t.TempDir()
	self, ordeal := filepath.Join(dir, "localkube"), filepath.Join(dir, "ordeal")
	alone := images{}
	alone.addReference(self)
	if len(alone) > 0 {
		t.Errorf("without an ordeal: %v", alone)
	}
	if err := os.WriteFile(ordeal, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	got := images{"ordeal/users": {"/mine"}}
	got.addReference(self)
	want := images{"ordeal/users": {"/mine"}, "ordeal/gateway": {ordeal, "target", "gateway"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
