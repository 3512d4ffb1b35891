package kubernetes

import (
	"bytes"
	"strings"
	"testing"
)

func TestEveryOverlayBuilds(t *testing.T) {
	list := Overlays()
	if len(list) < 12 {
		t.Errorf("only %d overlays: %q", len(list), list)
	}
	for _, overlay := range list {
		text, err := Build(overlay)
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.HasPrefix(text, []byte("apiVersion: v1\nkind: Namespace\n")) {
			t.Errorf("%s does not begin with the Namespace that the rest needs:\n%.80s", overlay, text)
		}
	}
}

func TestBuildNamesWhatThereIs(t *testing.T) {
	for _, name := range []string{"", "overlays", "overlays/lokal", "../kubernetes/overlays/local", "base"} {
		if text, err := Build(name); err == nil || !strings.Contains(err.Error(), "overlays/local,") {
			t.Errorf("Build(%q): %d bytes, error %v; want one that lists the overlays", name, len(text), err)
		}
	}
}
