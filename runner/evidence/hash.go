package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// hashFiles gives the SHA-256 of every finished file below dir but run.json,
// by slash-separated path.
func hashFiles(dir string) (map[string]string, error) {
	names, err := finishedFiles(dir)
	sums := make([]string, len(names))
	errs := make([]error, len(names))
	buffers := sync.Pool{New: func() any { return new([hashBuffer]byte) }}
	onAllCores(len(names), func(i int) {
		buf := buffers.Get().(*[hashBuffer]byte)
		defer buffers.Put(buf)
		sums[i], errs[i] = hashFile(filepath.Join(dir, filepath.FromSlash(names[i])), buf[:])
	})
	out := make(map[string]string, len(names))
	for i, name := range names {
		if errs[i] == nil {
			out[name] = sums[i]
		}
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		return out, fmt.Errorf("hashing the evidence: %w", err)
	}
	return out, nil
}

// finishedFiles lists the files to hash.
func finishedFiles(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.Type().IsRegular() && name != runFile && !strings.HasSuffix(name, partial) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

func hashFile(path string, buf []byte) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // read only
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, buf); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashBuffer is how much of a file is read at a time.
const hashBuffer = 256 << 10

// onAllCores does n things, some at the same time.
func onAllCores(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0), mostReaders) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
}

// segmentDirs are the directories that a run alone writes to.
var segmentDirs = []string{samplesDir, messagesDir, seriesDir}

// Verify compares the files with the hashes that were taken when the run ended
// and says in one line each what differs. Reports written later are no
// difference. A run that never ended has no hashes, which is one line too. The
// files are read once; the next call gives the same at once.
func (r *Run) Verify() ([]string, error) {
	r.verify.Do(func() { r.altered, r.unverified = r.compareHashes() })
	return slices.Clone(r.altered), r.unverified
}

func (r *Run) compareHashes() ([]string, error) {
	if len(r.Meta.Files) == 0 {
		return []string{"the run took no hashes of its files, so they cannot be verified"}, nil
	}
	now, err := hashFiles(r.Dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.Meta.Files)) {
		switch sum, there := now[name]; {
		case !there:
			out = append(out, fmt.Sprintf("%q is missing", name))
		case sum != r.Meta.Files[name]:
			out = append(out, fmt.Sprintf("%q was changed after the run", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		_, known := r.Meta.Files[name]
		if !known && slices.Contains(segmentDirs, path.Dir(name)) {
			out = append(out, fmt.Sprintf("%q was added after the run", name))
		}
	}
	return out, nil
}
