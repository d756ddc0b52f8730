package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CopyFolder makes a folder for a copy of the data in dir: inside of it, where
// tables can be linked, or else where the system has temporary files. The caller
// removes it. What a process that was killed has left there for a day is removed.
func CopyFolder(dir string) (string, error) {
	const prefix = ".copy-"
	left, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return "", err
	}
	for _, folder := range left {
		if info, err := os.Stat(folder); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(folder) // the next one does
		}
	}
	if folder, err := os.MkdirTemp(dir, prefix); err == nil {
		return folder, nil
	}
	return os.MkdirTemp("", "postino-copy-")
}

// OpenCopy copies the data in dir to a folder that does not exist, and opens the
// copy. Another process may use the data meanwhile: the copy is as if that had
// been killed. Tables are linked, not copied, where the file system can do that.
func OpenCopy(dir, to string) (db *DB, err error) {
	if !Exists(dir) {
		return nil, fmt.Errorf("%s has no data of Postino", dir)
	}
	for range copyTries {
		if err = copyData(dir, to); err == nil {
			if db, err = Open(to); err == nil {
				return db, nil
			}
		}
		if failed := os.RemoveAll(to); failed != nil { // a file was removed under our eyes, most likely
			return nil, errors.Join(err, failed)
		}
		time.Sleep(copyPause)
	}
	return nil, fmt.Errorf("copy %s: %w", dir, err)
}

const (
	copyTries = 10
	copyPause = 50 * time.Millisecond
)

// copyData copies the log first: so the tables have all that the log has lost
// since. Then come the tables that are there, the manifest, which names tables,
// and those that are new since: so it names none that a merge has removed.
func copyData(from, to string) error {
	isManifest := func(name string) bool { return !isTable(name) && name != "LOCK" }
	for _, part := range []struct {
		folder string
		has    func(name string) bool
		copy   func(from, to string) error
	}{
		{".", func(name string) bool { return name == formatName }, copyFile},
		{logFolder, func(string) bool { return true }, copyFile},
		{tableFolder, isTable, linkFile},
		{tableFolder, isManifest, copyFile},
		{tableFolder, isTable, linkFile},
	} {
		if err := copyFolder(filepath.Join(from, part.folder), filepath.Join(to, part.folder), part.has, part.copy); err != nil {
			return err
		}
	}
	return nil
}

// isTable reports whether a file of Pebble's has rows or long values. It never
// changes when it is complete.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

func copyFolder(from, to string, has func(string) bool, do func(from, to string) error) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); has(name) && !e.IsDir() {
			err := do(filepath.Join(from, name), filepath.Join(to, name))
			if err != nil && !(isTable(name) && errors.Is(err, fs.ErrNotExist)) { // nobody needs a table that is gone, or Open says so
				return err
			}
		}
	}
	return nil
}

// linkFile links a file, or copies it where that cannot be. A file that is there
// already was complete, unless it has grown since.
func linkFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if target, err := os.Stat(to); err == nil {
		if target.Size() == source.Size() {
			return nil
		}
		if err := os.Remove(to); err != nil {
			return err
		}
	}
	return copyFile(from, to)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
