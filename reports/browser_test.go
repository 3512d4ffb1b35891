package reports

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// layout is what a browser made of a page.
type layout struct {
	Width    int      // of the window
	Scroll   int      // width that the page wants; more than Width makes it scroll sideways
	Charts   int      // drawings with a size
	Flat     int      // drawings without one
	Requests []string // what it asked the network for
	Heading  string
}

// measure is put at the end of a page; it writes the layout where it is found.
const measure = `<script>
const svgs = [...document.querySelectorAll("svg")].map(s => s.getBoundingClientRect());
const shown = svgs.filter(r => r.width > 0 && r.height > 0).length;
const out = document.createElement("pre");
out.id = "layout";
out.textContent = JSON.stringify({
  Width: innerWidth, Scroll: document.documentElement.scrollWidth, Charts: shown, Flat: svgs.length - shown,
  Requests: performance.getEntriesByType("resource").map(r => r.name),
  Heading: document.querySelector("h1") ? document.querySelector("h1").innerText : "",
});
document.body.append(out);
</script>`

var layoutText = regexp.MustCompile(`(?s)<pre id="layout">(.*?)</pre>`)

// browse opens a page in Chromium with a window of a width.
func browse(t *testing.T, chromium, page string, width int) layout {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "page.html")
	if err := os.WriteFile(path, []byte(page+measure), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--window-size="+strconv.Itoa(width)+",900", "--dump-dom", "file://"+path)
	dom, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("chromium: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	found := layoutText.FindSubmatch(dom)
	if found == nil {
		t.Fatalf("the page was not measured; it is\n%.2000s", dom)
	}
	var l layout
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("CI has no Chromium")
	}
	t.Skip("no Chromium on this machine")
	return ""
}

func TestReportInABrowser(t *testing.T) {
	chromium := browser(t)
	page := render(t, HTML, open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())
	for _, width := range []int{1280, 500} { // Chromium's windows are not narrower than 500
		l := browse(t, chromium, page, width)
		if l.Scroll > l.Width {
			t.Errorf("in a window of %d the page is %d wide: it scrolls sideways", l.Width, l.Scroll)
		}
		if l.Charts < 5 || l.Flat > 0 {
			t.Errorf("in a window of %d there are %d charts and %d without a size, want at least 5 and none", l.Width, l.Charts, l.Flat)
		}
		if len(l.Requests) > 0 {
			t.Errorf("the page asks for %v, want nothing: it is self-contained", l.Requests)
		}
		if !strings.Contains(l.Heading, breakerMeta().Scenario) {
			t.Errorf("the heading is %q", l.Heading)
		}
	}
}

func TestBrowserSeesAPageThatIsTooWide(t *testing.T) {
	l := browse(t, browser(t), `<!doctype html><h1>wide</h1><div style="width:3000px">x</div><script src="http://127.0.0.1:1/x.js"></script>`, 500)
	if l.Scroll <= l.Width || l.Charts != 0 || len(l.Requests) == 0 {
		t.Errorf("measured %+v, want it too wide, without charts, and with a request", l)
	}
}
