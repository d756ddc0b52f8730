package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// maxFile bounds what is read from a file of secrets, in bytes.
const maxFile = 64 << 10

// FromFile makes a [Sealer] of the data keys in the file at path: one line of
// base64 each, the newest first. If there is no file it is made, with one new
// key; of several processes that make it at once all use the same key.
//
// The file must be for its owner only, as [File] demands. Whoever loses it
// loses every secret that was sealed with it.
func FromFile(path string) (*Sealer, error) {
	text, err := File(path, newKeyLine)
	if err != nil {
		return nil, fmt.Errorf("read the data key: %w", err)
	}
	var keys [][]byte
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		key, err := base64.StdEncoding.Strict().AppendDecode(nil, line)
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("read the data key: %s: line %d: want base64 of %d bytes", path, len(keys)+1, KeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read the data key: %s: %w", path, ErrNoKey)
	}
	sealer, err := NewSealer(keys[0], keys[1:]...)
	if err != nil {
		return nil, fmt.Errorf("read the data key: %s: %w", path, err)
	}
	return sealer, nil
}

func newKeyLine() ([]byte, error) {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails: it ends the process instead
	return append(base64.StdEncoding.AppendEncode(nil, key), '\n'), nil
}

// File returns what the file at path holds. If there is none, it first makes
// one with what generate returns: whole and on disk before it appears under
// its name, with mode 0600, and never over a file that another process made
// meanwhile. It refuses a file that others than its owner may read or write,
// and one of more than 64 KiB.
func File(path string, generate func() ([]byte, error)) ([]byte, error) {
	text, err := readPrivate(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = generate(); err != nil {
		return nil, err
	}
	if err := createPrivate(path, text); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readPrivate(path) // ours, or that of whoever was first
}

func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: want a regular file", path)
	}
	// Windows has no such bits: Go reports 0666 for every file there.
	if others := info.Mode().Perm() & 0o077; others != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s: its mode %#o lets others read or write it: run chmod 600 %[1]s", path, info.Mode().Perm())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		return nil, fmt.Errorf("%s: want at most %d bytes", path, maxFile)
	}
	return text, err
}

// createPrivate writes under a name of its own and then links the file to its
// place, which fails, with fs.ErrExist, if somebody else was first.
func createPrivate(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the new name survive a power cut.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
