package backup_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/backup"
)

// entry is a file in an archive.
type entry struct {
	name    string
	content []byte
}

func entries(t *testing.T, file string) (all []entry) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		next, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{next.Name, content})
	}
}

func archived(t *testing.T, all []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range all {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Mode: 0o600, Size: int64(len(e.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// changed is the archive with one file put through change.
func changed(t *testing.T, all []entry, prefix string, change func(*entry)) []byte {
	t.Helper()
	all = append([]entry(nil), all...)
	for i := range all {
		if strings.HasPrefix(all[i].name, prefix) {
			all[i].content = bytes.Clone(all[i].content)
			change(&all[i])
			return archived(t, all)
		}
	}
	t.Fatalf("the archive has no %s", prefix)
	return nil
}

func TestARestoreRefusesWhatItCannotTrustAndLeavesNothing(t *testing.T) {
	file, _ := small(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, file)
	for _, tt := range []struct {
		about   string
		content []byte
		want    string
	}{
		{"another file", []byte("not a backup"), "is no backup of Postino"},
		{"nothing", nil, "is no backup of Postino"},
		{"another archive", archived(t, []entry{{"readme", []byte("hello")}}), "is no backup of Postino"},
		{"half of it", whole[:len(whole)/2], "is damaged"},
		{"without its end", archived(t, all[:len(all)-1]), "is damaged: it ends too early"},
		{"a flipped bit", changed(t, all, "tables/MANIFEST", func(e *entry) { e.content[3] ^= 1 }), "is damaged: the checksum of tables/MANIFEST"},
		{"another key", changed(t, all, "sealing.key", func(e *entry) { e.content[3] ^= 1 }), "is damaged: the checksum of sealing.key is wrong"},
		{"a file less", archived(t, append(append([]entry(nil), all[:2]...), all[3:]...)), "is damaged: a file is missing"},
		{"a file outside", changed(t, all, "sealing.key", func(e *entry) { e.name = "../sealing.key" }), `is damaged: "../sealing.key" is no file of a data folder`},
		{"a newer archive", changed(t, all, "postino.backup", func(e *entry) { e.content = bytes.Replace(e.content, []byte(`"format":1`), []byte(`"format":2`), 1) }), "was written by a newer release, Postino 1.2.3"},
		{"newer data", changed(t, all, "postino.backup", func(e *entry) { e.content = []byte(`{"format":1,"data_format":99,"version":"9.0.0"}`) }), "was written by a newer release, Postino 9.0.0"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			bad, data := filepath.Join(t.TempDir(), "bad.backup"), filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(bad, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Restore(t.Context(), bad, data); err == nil || !strings.HasPrefix(err.Error(), bad+" "+tt.want) {
				t.Errorf("Restore: %v, want %s %s", err, bad, tt.want)
			}
			if left, err := os.ReadDir(filepath.Dir(data)); len(left) > 0 || err != nil {
				t.Errorf("%v is left, %v, want nothing", left, err)
			}
		})
	}
}

func TestARestoreAndABackupReplaceNothing(t *testing.T) {
	file, data := small(t)
	if _, err := backup.Restore(t.Context(), file, data); err == nil || !strings.Contains(err.Error(), data+" is not empty") {
		t.Errorf("restore over data: %v, want the folder named", err)
	}
	if _, err := backup.Write(t.Context(), data, file, "1.2.3"); err == nil || !strings.Contains(err.Error(), file+" exists") {
		t.Errorf("back up to a file that is there: %v, want the file named", err)
	}
	empty := t.TempDir() // such as a volume that has just been mounted
	if _, err := backup.Restore(t.Context(), file, empty); err != nil {
		t.Error(err)
	}
	s := start(t, empty)
	if got := must(t, s, "GET", "/subscriptions/s", ""); !strings.Contains(got, "example.com/hooks") {
		t.Errorf("the subscription is %s", got)
	}
	stop(t, s)
}

func TestABackupIsForItsOwnerAndLeavesNothingBeside(t *testing.T) {
	file, data := small(t)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v, want 0600: it has keys", info, err)
	}
	for _, dir := range []string{data, filepath.Dir(file)} {
		left, err := filepath.Glob(filepath.Join(dir, "*part*"))
		copies, errs := filepath.Glob(filepath.Join(dir, ".copy-*"))
		if len(left)+len(copies) > 0 || err != nil || errs != nil {
			t.Errorf("%v %v are left in %s, %v, %v", left, copies, dir, err, errs)
		}
	}
}

func TestDamagedDataIsNotBackedUp(t *testing.T) {
	_, data := small(t)
	tables, err := filepath.Glob(filepath.Join(data, "tables", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("there are no tables, %v", err)
	}
	content, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	content[20] ^= 1 // of the first rows
	if err := os.WriteFile(tables[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bad.backup")
	if _, err := backup.Write(t.Context(), data, file, "1.2.3"); err == nil || !strings.Contains(err.Error(), "it is damaged") || !strings.Contains(err.Error(), data) {
		t.Errorf("back up damaged data: %v, want it refused", err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); len(left) > 0 || err != nil {
		t.Errorf("%v is left, %v, want nothing", left, err)
	}
}

// FuzzRestore: whatever a file has, nothing is written beside the folder, and
// nothing is left in it unless all of it was right.
func FuzzRestore(f *testing.F) {
	f.Add([]byte("not a backup"))
	f.Add([]byte(strings.Repeat("\x00", 1024)))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		file, data := filepath.Join(dir, "file"), filepath.Join(dir, "data")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backup.Restore(t.Context(), file, data)
		left, failed := os.ReadDir(dir)
		if failed != nil || err != nil && len(left) > 1 || len(left) > 2 {
			t.Errorf("Restore: %v, and %v is there, %v", err, left, failed)
		}
	})
}
