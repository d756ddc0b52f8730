package console

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestAnEncodingIsUsedIfItIsAccepted(t *testing.T) {
	for _, tt := range []struct{ header, want string }{
		{"", ""},
		{"identity", ""},
		{"gzip", "gzip"},
		{"gzip, deflate, br, zstd", "br"},
		{"BR;q=0.5, gzip", "br"},
		{"br; q=0, gzip;q=1.0", "gzip"},
		{"br;q=0,gzip;q=0", ""},
		{"brotli", ""},
		{"br;q=much", ""},
	} {
		if got := Page(tt.header); got.Encoding != tt.want || len(got.Body) == 0 {
			t.Errorf("for %q the page comes as %q with %d bytes, want %q", tt.header, got.Encoding, len(got.Body), tt.want)
		}
	}
}

func TestAFileThatIsNotThereIsNotFound(t *testing.T) {
	for _, name := range []string{"", "x.js", "../index.html", "..", "/etc/passwd", "icon.svg/x"} {
		if _, found := Asset(name, "br"); found {
			t.Errorf("there is a file %q", name)
		}
	}
}

// The first load is what the page itself names; the rest comes when a page that needs it is opened.
func TestTheFirstLoadIsSmall(t *testing.T) {
	const most = 200 << 10 // bytes, compressed by gzip
	html := Page("").Body
	sum := len(Page("gzip").Body)
	names := regexp.MustCompile(`/console/assets/([^"]+)`).FindAllSubmatch(html, -1)
	for _, name := range names {
		f, found := Asset(string(name[1]), "gzip")
		if !found {
			t.Errorf("the page names %s, which is not there", name[1])
		}
		sum += len(f.Body)
	}
	if sum > most || len(names) < 3 {
		t.Errorf("the first load is %d bytes in %d files, want at most %d in at least 3", sum, len(names), most)
	}
	t.Logf("the first load is %d bytes", sum)
}

func TestThePageRunsAndStylesNothingInline(t *testing.T) {
	html := Page("").Body
	if found := regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\son[a-z]+=|style=|https?://`).Find(html); found != nil {
		t.Errorf("the page has %s", found)
	}
}

func TestEveryFileIsKnownByTypeAndHasAHashInItsName(t *testing.T) {
	files, err := fs.Glob(dist, "dist/assets/*.br")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	hashed := regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.[a-z]+$`)
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".br")
		f, found := Asset(name, "br")
		if !found || f.Type == "" || f.Lasting != hashed.MatchString(name) {
			t.Errorf("%s is found %v with type %q, lasting %v", name, found, f.Type, f.Lasting)
		}
		if plain, _ := Asset(name, ""); bytes.Contains(plain.Body, []byte("sourceMappingURL")) {
			t.Errorf("%s names a map of its source, which is not there", name)
		}
	}
}
