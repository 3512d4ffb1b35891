package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// hashFiles gives the SHA-256 of every finished file below dir but run.json,
// by slash-separated path.
func hashFiles(dir string) (map[string]string, error) {
	sums := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !d.Type().IsRegular() || name == runFile || strings.HasSuffix(name, partial) {
			return nil
		}
		sums[name], err = hashFile(path)
		return err
	})
	if err != nil {
		return sums, fmt.Errorf("hashing the evidence: %w", err)
	}
	return sums, nil
}

func hashFile(path string) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// segmentDirs are the directories that a run alone writes to.
var segmentDirs = []string{samplesDir, messagesDir, seriesDir}

// Verify compares the files with the hashes that were taken when the run ended
// and says in one line each what differs. Reports written later are no
// difference. A run that never ended has no hashes, which is one line too.
func (r *Run) Verify() ([]string, error) {
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
