// Package postino contains the version.
package postino

import (
	"regexp"
	"runtime/debug"
)

// next is the release that is being worked on.
const next = "0.1.0"

// release is what the linker sets for a release.
var release string

// Version is the release, as it stands in the user agent and in /healthz: the
// one that was built as such, else the one that go install fetched, else the next.
var Version = version(release, debug.ReadBuildInfo)

var tagged = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)

func version(release string, read func() (*debug.BuildInfo, bool)) string {
	if release != "" {
		return release
	}
	if info, ok := read(); ok && info.Main.Path == "github.com/postino/postino" && tagged.MatchString(info.Main.Version) {
		return info.Main.Version[1:]
	}
	return next
}
