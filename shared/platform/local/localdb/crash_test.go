package localdb

import (
	"bytes"
	"context"

	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// dirVariable makes the test binary a process that writes until it is killed.
const dirVariable = "LOCALDB_TEST_WRITE_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVariable); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// writeForever prints each id that Write has returned for.
func writeForever(dir string) {
	db, err := Open(dir)
	if err == nil {
		err = db.Migrate(context.Background(), "test", table)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for w := range 4 {
		go func() {
			for id := w; ; id += 4 {
				if insert(db, Durability(id%2), id) == nil {
					fmt.Println(id)
				}
			}
		}()
	}
	select {}
}

func TestAKilledProcessLosesNothingThatReturned(t *testing.T) {
	for range 3 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), dirVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		printed := make([]byte, 20_000+rand.IntN(20_000))
		n, _ := readFull(out, printed)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()

		lines := strings.Split(string(printed[:n]), "\n")
		checkRows(t, dir, lines[:len(lines)-1])
	}
}

func readFull(r interface{ Read([]byte) (int, error) }, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// checkRows checks that the database in dir has a row for each id.
func checkRows(t *testing.T, dir string, ids []string) {
	t.Helper()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if len(ids) < 100 {
		t.Fatalf("the process printed only %q", ids)
	}
	err = db.Read(t.Context(), func(tx *Tx) error {
		for _, text := range ids {
			id, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			found := false
			err = tx.Query("SELECT 1 FROM rows WHERE id = ?", []any{id}, func(*Row) error { found = true; return nil })
			if err != nil || !found {
				return fmt.Errorf("row %d is lost: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// copyLive copies the files of an open database, as a power cut would leave
// them.
func copyLive(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	for _, name := range []string{fileName, fileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestATornLogRecoversAPrefix(t *testing.T) {
	dir := t.TempDir()
	writer := openDir(t, dir)
	for id := range 50 {
		if err := insert(writer, Durable, id); err != nil {
			t.Fatal(err)
		}
	}
	for cut := range 20 {
		torn := copyLive(t, dir)
		path := filepath.Join(torn, fileName+"-wal")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content = content[:len(content)-1-cut*1777]
		copy(content[len(content)-10:], bytes.Repeat([]byte{0xaa}, 10)) // and garbage at its end
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		db := openDir(t, torn)
		rows := count(t, db)
		if rows >= 50 || rows < 20 {
			t.Errorf("%d rows after a cut of %d bytes, want some of 50", rows, 1+cut*1777)
		}
		if err := insert(db, Durable, 1000); err != nil {
			t.Errorf("write after recovery: %v", err)
		}
		var last int64
		err = db.Read(t.Context(), func(tx *Tx) error {
			return tx.Query("SELECT max(id) FROM rows WHERE id < 1000", nil, func(row *Row) error { last = row.Int64(0); return nil })
		})
		if err != nil || last != rows-1 {
			t.Errorf("the last of %d rows is %d, %v: not a prefix", rows, last, err)
		}
	}
}

func TestADamagedFileIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	for id := range 2000 {
		if err := insert(db, Ordered, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	intact, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(file []byte) []byte{
		"no database":        func([]byte) []byte { return []byte(strings.Repeat("no database ", 1000)) },
		"a page overwritten": func(file []byte) []byte { copy(file[3*4096:], bytes.Repeat([]byte{0x5a}, 4096)); return file },
		"cut short":          func(file []byte) []byte { return file[:len(file)/2] },
		"the first page":     func(file []byte) []byte { clear(file[100:4096]); return file },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, fileName)
		if err := os.WriteFile(path, damage(bytes.Clone(intact)), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(dir)
		if err == nil {
			db.Close()
			t.Errorf("%s: Open took it", name)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: Open: %v, want the file named", name, err)
		}
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	if second, err := Open(dir); err == nil {
		second.Close()
		t.Error("a second Open took the same folder")
	} else if lock := filepath.Join(dir, lockName); !strings.Contains(err.Error(), lock) {
		t.Errorf("a second Open: %v, want %s named", err, lock)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openDir(t, dir)
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	openDir(t, dir)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d files, %v, want 4", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v, want 0700", info.Mode(), err)
	}
}
