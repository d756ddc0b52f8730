package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecondProcessOnTheSameDataIsRefused(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	if said := refusesToStart(t, data); !strings.Contains(said, data) {
		t.Errorf("it said %q, want the folder named", said)
	}
	if status, _ := p.call(t.Context(), http.DefaultClient, "GET", "/subscriptions", ""); status != 200 {
		t.Errorf("the first answers %d, want 200", status)
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// used returns a data folder that a process has used and left.
func used(t *testing.T) string {
	t.Helper()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	p := start(t, data)
	newReceiver(t, l).subscribe(t, p, "s", "")
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDataWithoutItsSealingKeyIsRefused(t *testing.T) {
	data := used(t)
	key := filepath.Join(data, "sealing.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if said := refusesToStart(t, data); !strings.Contains(said, key) {
		t.Errorf("it said %q, want %s named", said, key)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made: the old data can never be read again")
	}
}

func TestDamagedDataIsRefused(t *testing.T) {
	for name, damage := range map[string]struct {
		file string
		do   func(f *os.File, size int64) error
	}{
		"no manifest at all": {"MANIFEST-*", func(f *os.File, _ int64) error {
			_, err := f.WriteAt([]byte(strings.Repeat("not a manifest. ", 64)), 0)
			return err
		}},
		"a table cut in the middle": {"*.sst", func(f *os.File, size int64) error { return f.Truncate(size / 2) }},
	} {
		t.Run(name, func(t *testing.T) {
			data := used(t)
			files, err := filepath.Glob(filepath.Join(data, "tables", damage.file))
			if err != nil || len(files) == 0 {
				t.Fatalf("there is no %s, %v", damage.file, err)
			}
			f, err := os.OpenFile(files[0], os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := damage.do(f, info.Size()); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if said := refusesToStart(t, data); !strings.Contains(said, data) {
				t.Errorf("it said %q, want %s named", said, data)
			}
		})
	}
}
