package postino

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsThatOfTheReleaseOrOfTheModule(t *testing.T) {
	for _, tt := range []struct {
		release, path, module string
		want                  string
	}{
		{"1.2.3", "github.com/postino/postino", "v1.0.0", "1.2.3"},
		{"", "github.com/postino/postino", "v1.2.3", "1.2.3"},
		{"", "github.com/postino/postino", "(devel)", next},
		{"", "github.com/postino/postino", "v0.0.0-20260301120000-0123456789ab+dirty", next},
		{"", "github.com/other/program", "v1.2.3", next}, // which only imports us
	} {
		got := version(tt.release, func() (*debug.BuildInfo, bool) {
			return &debug.BuildInfo{Main: debug.Module{Path: tt.path, Version: tt.module}}, true
		})
		if got != tt.want {
			t.Errorf("version(%q) of %s %s = %q, want %q", tt.release, tt.path, tt.module, got, tt.want)
		}
	}
}
