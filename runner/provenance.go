package runner

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"ordeal/runner/evidence"
)

// version is the release or the commit, set by the linker.
var version = "devel"

// Version gives the version of Ordeal.
func Version() string { return Build().Version }

// told are the libraries whose version matters to what was measured.
var told = []string{
	"github.com/tsenart/vegeta/v12", "github.com/bojand/ghz", "github.com/Shopify/toxiproxy/v2", "google.golang.org/grpc",
	"github.com/gin-gonic/gin", "github.com/prometheus/client_golang", "gonum.org/v1/plot", "github.com/HdrHistogram/hdrhistogram-go",
	"github.com/parquet-go/parquet-go",
}

// Build tells which program this is.
func Build() evidence.Build {
	b := evidence.Build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	return b
}

func modules() map[string]string {
	versions := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, m := range info.Deps {
		if slices.Contains(told, m.Path) {
			versions[m.Path] = m.Version
		}
	}
	return versions
}

func host() evidence.Host {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	h := evidence.Host{Name: name, CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0)}
	h.Kernel, h.Memory = machine()
	return h
}
