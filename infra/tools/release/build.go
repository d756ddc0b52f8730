package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is a system that the program is built for.
type target struct{ os, arch string }

// targets are those that get a program.
var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// program is its file's name there.
func (t target) program() string {
	if t.os == "windows" {
		return "postino.exe"
	}
	return "postino"
}

const releaseVariable = "github.com/postino/postino/shared/postino.release"

// build compiles a package into a file, from its sources alone: no paths of
// this machine, and no C.
func (r release) build(t target, pkg, file string, flags ...string) error {
	arguments := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X " + releaseVariable + "=" + r.version, "-o", file}, flags...)
	cmd := exec.Command("go", append(arguments, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+t.os, "GOARCH="+t.arch)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s for %s/%s: %w\n%s", pkg, t.os, t.arch, err, said)
	}
	return nil
}

// programs makes an archive with the program for each system, and beside it
// what it was built of.
func (r release) programs() error {
	for _, t := range targets {
		if err := r.program(t); err != nil {
			return err
		}
	}
	return nil
}

func (r release) program(t target) error {
	dir, err := os.MkdirTemp("", "postino-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, t.program())
	if err := r.build(t, "./cmd/postino", built); err != nil {
		return err
	}
	name := strings.Join([]string{"postino", r.version, t.os, t.arch}, "_")
	files := []packed{{t.program(), built, 0o755}, {"LICENSE", "LICENSE", 0o644}, {"README.md", "README.md", 0o644}, {"CHANGELOG.md", "CHANGELOG.md", 0o644}}
	if t.os == "linux" {
		files = append(files, packed{"postino.service", "infra/systemd/postino.service", 0o644})
	}
	if t.os == "windows" {
		err = r.zip(name+".zip", files)
	} else {
		err = r.tar(name+".tar.gz", files)
	}
	if err != nil {
		return err
	}
	return r.materials(name, built)
}
