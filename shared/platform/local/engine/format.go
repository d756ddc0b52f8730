package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Format is the number of the format of keys, values and the log that this
// release writes. It reads this one and all before.
const Format = 1

const (
	formatName = "postino.format"

	sqliteName = "postino.db" // of builds before the first release
)

// Exists reports whether there is data in dir.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, formatName))
	return err == nil
}

// checkFormat refuses data that this release cannot read, and marks an empty
// folder as ours.
func checkFormat(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, sqliteName)); err == nil {
		return fmt.Errorf("%s is a SQLite file of a build before the first release, which this release cannot read: use another folder", sqliteName)
	}
	text, err := os.ReadFile(filepath.Join(dir, formatName))
	if errors.Is(err, fs.ErrNotExist) {
		return markFormat(dir)
	}
	if err != nil {
		return err
	}
	format, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return fmt.Errorf("%s is damaged: it has no number: restore a copy", formatName)
	case format > Format:
		return fmt.Errorf("a newer release wrote this data, in format %d: this release reads formats up to %d: use the newer one", format, Format)
	}
	return nil
}

// markFormat writes the format's number, before there is anything in that format.
func markFormat(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, tableFolder)); err == nil {
		return fmt.Errorf("%s is missing: restore a copy of the whole folder", formatName)
	}
	name := filepath.Join(dir, formatName)
	if err := writeSynced(name+".new", fmt.Appendln(nil, Format)); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncFolder(dir)
}

func writeSynced(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
