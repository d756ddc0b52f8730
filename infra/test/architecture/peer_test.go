package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asking is how Go code makes a request: by a client of its own, or by one that
// it was given.
var asking = regexp.MustCompile(`\.Do\((req|r|request)\)|\.RoundTrip\(|\bhttp\.(Get|Post|PostForm|Head|DefaultClient)\b|\bhttp\.Client\{`)

// mayAsk are the packages that may: one reads answers, the other is the way out.
var mayAsk = []string{"shared/callback/peer", "shared/callback/egress"}

func TestOnlyOnePlaceReadsWhatOtherServersSay(t *testing.T) {
	found := 0
	for _, root := range []string{"shared", "functions", "cmd/postino/server"} {
		err := filepath.WalkDir(filepath.Join("../../..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil || !asking.Match(source) {
				return err
			}
			found++
			if folder, _ := filepath.Rel("../../..", filepath.Dir(path)); !slices.Contains(mayAsk, filepath.ToSlash(folder)) {
				t.Errorf("%s makes a request by itself: that is for shared/callback/peer", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("nobody makes a request: this test does not see them")
	}
}

func TestEveryProcessTakesWhatLibrariesLog(t *testing.T) {
	own, _ := packages(t)
	for path, p := range own {
		process := path == "cmd/postino" || strings.HasPrefix(path, "functions/") && !strings.HasPrefix(path, "functions/internal/")
		if process && !slices.Contains(p.Deps, module+"shared/measure/stdlog") {
			t.Errorf("%s leaves what libraries log by themselves to standard error: it needs shared/measure/stdlog", path)
		}
	}
}
