// Package console contains the pages of the console and of the portal, as a browser gets them.
//
// They are written in TypeScript, in src. build.mjs makes the files in dist of
// them, each compressed by gzip and brotli; they are committed, so that nobody
// who uses Go needs Node. A test in infra/test/console builds them again and
// compares.
package console

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// File is a file in the encoding that a browser accepts.
type File struct {
	Body     []byte
	Type     string // its media type
	Encoding string // "br", "gzip", or "" for none
	Lasting  bool   // its name contains a hash of its content, so it never changes
}

// Page is the one page of the console and the portal, which loads the rest.
func Page(acceptEncoding string) File {
	f, _ := open("index.html", acceptEncoding)
	return f
}

//go:embed embed.js
var embedded []byte

// Embed is the script that shows the portal within a page of others. Its name does
// not change with its content, so browsers ask for it each time.
func Embed() File {
	return File{Body: embedded, Type: types[".js"]}
}

// Asset is a file that the page loads, by its name without folder. It reports
// false if there is none.
func Asset(name, acceptEncoding string) (File, bool) {
	if name != path.Base(name) {
		return File{}, false
	}
	return open("assets/"+name, acceptEncoding)
}

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".md":   "text/markdown; charset=utf-8",
}

func open(name, acceptEncoding string) (File, bool) {
	f := File{Type: types[path.Ext(name)], Lasting: strings.HasPrefix(name, "assets/") && path.Ext(name) != ".md"}
	var err error
	switch {
	case brotli && accepts(acceptEncoding, "br"):
		f.Encoding = "br"
		f.Body, err = dist.ReadFile("dist/" + name + ".br")
	case accepts(acceptEncoding, "gzip"):
		f.Encoding = "gzip"
		f.Body, err = dist.ReadFile("dist/" + name + ".gz")
	default:
		f.Body, err = plain(name)
	}
	return f, err == nil
}

// plain decompresses a file for the rare caller who accepts it only so.
func plain(name string) ([]byte, error) {
	packed, err := dist.ReadFile("dist/" + name + ".gz")
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return io.ReadAll(r)
}

// accepts reports whether a header Accept-Encoding names an encoding, with a
// quality above zero (RFC 9110, 12.5.3).
func accepts(header, encoding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		quality, given := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
		if !given {
			return true
		}
		q, err := strconv.ParseFloat(quality, 64)
		return err == nil && q > 0
	}
	return false
}
