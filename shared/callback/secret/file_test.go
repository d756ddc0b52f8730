package secret

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	first, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key file = %v, %v, want 0600", info.Mode(), err)
	}
	second, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Open(mustSeal(t, first, "hunter2")); string(got) != "hunter2" || err != nil {
		t.Errorf("after a restart Open = %q, %v, want the secret", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("the directory holds %v, want the key file alone", left)
	}
}

func TestProcessesThatStartTogetherUseOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	sealers := make(chan *Sealer, 8)
	for range cap(sealers) {
		go func() {
			s, err := FromFile(path)
			if err != nil {
				t.Error(err)
			}
			sealers <- s
		}()
	}
	first := <-sealers
	for range cap(sealers) - 1 {
		if s := <-sealers; s != nil && first != nil && s.current != first.current {
			t.Error("two processes made two keys")
		}
	}
}

func TestAKeyFileThatOthersMayTouchIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	if _, err := FromFile(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := FromFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("FromFile with mode %o = %v, want advice for %s", mode, err, path)
		}
	}
}

func TestTheNewestLineOfAKeyFileSeals(t *testing.T) {
	line := func(key []byte) string { return base64.StdEncoding.EncodeToString(key) + "\n" }
	path := filepath.Join(t.TempDir(), "data.key")
	if err := os.WriteFile(path, []byte(line(newKey)+"\n"+line(oldKey)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !mustSealer(t, newKey).Current(mustSeal(t, s, "x")) {
		t.Error("the first line's key does not seal")
	}
	if _, err := s.Open(mustSeal(t, mustSealer(t, oldKey), "x")); err != nil {
		t.Errorf("the second line's key does not open: %v", err)
	}
}

func TestDamagedKeyFilesAreNamedAndKept(t *testing.T) {
	for _, text := range []string{"", "\n", "not base64\n", base64.StdEncoding.EncodeToString(newKey[:16]), strings.Repeat("x", maxFile+1)} {
		path := filepath.Join(t.TempDir(), "data.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FromFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("FromFile of %.20q = %v, want an error that names the file", text, err)
		}
		if kept, _ := os.ReadFile(path); string(kept) != text {
			t.Errorf("FromFile changed a file of %.20q", text)
		}
	}
	dir := t.TempDir()
	if _, err := FromFile(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("FromFile of a directory = %v", err)
	}
	if _, err := FromFile(filepath.Join(dir, "none", "data.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("FromFile where there is no directory = %v, want fs.ErrNotExist", err)
	}
}

func TestFilesAreGeneratedOnlyWhenThereAreNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.key")
	broken := errors.New("no randomness")
	if _, err := File(path, func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("File = %v, want the generator's error", err)
	}
	if text, err := File(path, func() ([]byte, error) { return []byte("one"), nil }); string(text) != "one" || err != nil {
		t.Errorf("File = %q, %v", text, err)
	}
	if text, err := File(path, func() ([]byte, error) { return nil, broken }); string(text) != "one" || err != nil {
		t.Errorf("File, again = %q, %v, want what was made first", text, err)
	}
}
