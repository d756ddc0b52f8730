// Command release makes everything that somebody installs, into one folder: the
// program for each system, an image, the functions with their packaged template,
// what is in them, and checksums. What it makes depends on the commit alone, so
// that anybody can make it again and compare.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// release is what one run makes.
type release struct {
	out     string    // the folder
	version string    // without v
	time    time.Time // of the commit; every file has it
	bucket  string    // where CloudFormation finds the functions
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	var r release
	flag.StringVar(&r.out, "out", "dist", "`folder` to make")
	flag.StringVar(&r.version, "version", "", "`version`, as in 1.2.3; the tag of the commit unless given")
	flag.StringVar(&r.bucket, "bucket", "postino-releases-${AWS::Region}", "`bucket` of the functions, in which ${AWS::Region} may stand: Lambda reads only from its own region")
	only := flag.String("only", "", "make `one` thing: programs, image or functions")
	flag.Parse()
	if err := r.describe(); err != nil {
		log.Fatal(err)
	}
	if err := r.make(*only); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Postino %s is in %s\n", r.version, r.out)
}

// make makes all that is named; "" is everything.
func (r release) make(only string) error {
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		make func() error
	}{{"programs", r.programs}, {"image", r.image}, {"functions", r.functions}} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.make(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return r.checksums()
}

var versions = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// describe takes version and time from git. A commit without a tag is named
// after the tag before it and itself.
func (r *release) describe() error {
	if r.version == "" {
		said, err := git("describe", "--tags", "--match", "v*", "--dirty")
		if err != nil {
			commit, err := git("rev-parse", "--short=12", "HEAD")
			if err != nil {
				return fmt.Errorf("this folder is no git repository: name a -version")
			}
			said = "v0.0.0-" + commit
		}
		r.version = said
	}
	r.version = strings.TrimPrefix(r.version, "v")
	if !versions.MatchString(r.version) {
		return fmt.Errorf("version %q: want three numbers, such as 1.2.3 or 1.2.3-rc.1", r.version)
	}
	said, err := git("log", "-1", "--format=%ct")
	if err != nil {
		said = "0"
	}
	seconds, err := strconv.ParseInt(said, 10, 64)
	r.time = time.Unix(seconds, 0).UTC()
	return err
}

func git(arguments ...string) (string, error) {
	said, err := exec.Command("git", arguments...).Output()
	return strings.TrimSpace(string(said)), err
}

// path is a file of the release.
func (r release) path(name string) string { return filepath.Join(r.out, name) }
