package engine

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dirVariable makes the test binary a process that writes until it is killed.
const dirVariable = "ENGINE_TEST_WRITE_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVariable); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// writeForever prints each id that Write has returned for. Values are large, so
// that the log often begins another file.
func writeForever(dir string) {
	db, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	pad := make([]byte, 64<<10)
	for w := range 4 {
		go func() {
			for id := w; ; id += 4 {
				err := db.Write(context.Background(), Durability(id%3), func(tx *Tx) error { tx.Set(rowKey(id), pad); return nil })
				if err == nil {
					fmt.Println(id)
				}
			}
		}()
	}
	select {}
}

func TestAKilledProcessLosesNothingThatReturned(t *testing.T) {
	dir := t.TempDir()
	for range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), dirVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		printed := make([]byte, 3_000+rand.IntN(3_000))
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

// checkRows checks that the store in dir has a row for each id.
func checkRows(t *testing.T, dir string, printed []string) {
	t.Helper()
	db, err := Open(crashed(t, dir)) // as the next process sees it, which must find the files as they are
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if len(printed) < 100 {
		t.Fatalf("the process printed only %q", printed)
	}
	there := ids(t, db)
	for _, text := range printed {
		id, err := strconv.Atoi(text)
		if _, found := slices.BinarySearch(there, id); !found || err != nil {
			t.Fatalf("row %s is lost, %v", text, err)
		}
	}
}

// crashed copies the files of a store that nobody writes, as a power cut leaves
// them.
func crashed(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// lastLog returns the file of the log that is written.
func lastLog(t *testing.T, dir string) string {
	t.Helper()
	numbers, err := segments(filepath.Join(dir, logFolder))
	if err != nil || len(numbers) == 0 {
		t.Fatalf("the log's files are %v, %v", numbers, err)
	}
	return filepath.Join(dir, logFolder, segmentName(numbers[len(numbers)-1]))
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
		torn := crashed(t, dir)
		path := lastLog(t, torn)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content = content[:len(content)-1-cut*57]
		copy(content[len(content)-10:], bytes.Repeat([]byte{0xaa}, 10)) // and garbage at its end
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		db := openDir(t, torn)
		rows := ids(t, db)
		if n := len(rows); n >= 50 || n < 20 || rows[n-1] != n-1 {
			t.Errorf("%d rows after a cut of %d bytes, the last is %d, want a prefix of 50", n, 1+cut*57, rows[n-1])
		}
		if err := insert(db, Durable, 1000); err != nil {
			t.Errorf("write after recovery: %v", err)
		}
		again := openDir(t, crashed(t, torn)) // the part that is lost stays lost
		if got := ids(t, again); !slices.Equal(got, append(rows, 1000)) {
			t.Errorf("after another crash the rows are %v, want %v and 1000", got, rows)
		}
	}
}

// TestALogThatIsUsedAgainIsReadToItsEnd: what an earlier use of a file left
// behind the last record is not taken for history.
func TestALogThatIsUsedAgainIsReadToItsEnd(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	put := func(id, size int) {
		t.Helper()
		err := db.Write(t.Context(), Ordered, func(tx *Tx) error { tx.Set(rowKey(id), make([]byte, size)); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	fill := func() {
		for id := range segmentSize>>20 + 1 {
			put(id, 1<<20)
		}
		db.flushes.Wait()
	}
	fill()
	if db.log.spare == "" {
		t.Fatal("no file is kept for use")
	}
	fill()
	used := db.log.file.Name()
	if info, err := os.Stat(used); err != nil || info.Size() < segmentSize || db.log.size > segmentSize/2 {
		t.Fatalf("%s has %v bytes, %v, of which %d are used: no file was used again", used, info.Size(), err, db.log.size)
	}
	for id := range 10 {
		put(1000+id, 10)
		if got := openDir(t, crashed(t, dir)); count(t, got) != segmentSize>>20+2+id {
			t.Errorf("%d rows after a crash, want %d", count(t, got), segmentSize>>20+2+id)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, logFolder))
	if err != nil || len(entries) > 3 {
		t.Errorf("the log has %d files, %v, want at most 3", len(entries), err)
	}
}

func TestDamageIsRefusedByName(t *testing.T) {
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
	for name, damage := range map[string]func(dir string) error{
		"no manifest": func(dir string) error {
			return overwrite(dir, "tables/MANIFEST-*", []byte(strings.Repeat("no manifest ", 1000)))
		},
		"the manifest is gone": func(dir string) error { return removeAll(dir, "tables/MANIFEST-*") },
		"a table is cut":       func(dir string) error { return truncate(dir, "tables/*.sst") },
		"a table is gone":      func(dir string) error { return removeAll(dir, "tables/*.sst") },
		"no format":            func(dir string) error { return os.WriteFile(filepath.Join(dir, formatName), []byte("x"), 0o600) },
		"the format is gone":   func(dir string) error { return os.Remove(filepath.Join(dir, formatName)) },
		"a strange log":        func(dir string) error { return os.WriteFile(filepath.Join(dir, logFolder, "x"), nil, 0o600) },
		"a hole in the log":    holeInTheLog,
		"a newer release":      func(dir string) error { return os.WriteFile(filepath.Join(dir, formatName), []byte("2\n"), 0o600) },
		"SQLite":               func(dir string) error { return os.WriteFile(filepath.Join(dir, sqliteName), nil, 0o600) },
	} {
		dir := crashed(t, dir)
		if err := damage(dir); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		db, err := Open(dir)
		if err == nil {
			db.Close()
			t.Errorf("%s: Open took it", name)
		} else if !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: Open: %v, want the folder named", name, err)
		}
	}
}

// holeInTheLog leaves two files of the log, between which a record is missing.
func holeInTheLog(dir string) error {
	for n := range uint64(2) {
		l := writeLog{next: 1_000_000 + 10*n}
		file, err := os.Create(filepath.Join(dir, logFolder, segmentName(1000+n)))
		if err != nil {
			return err
		}
		l.file = file
		if err := l.append([]byte("record")); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// each does something to the files that a pattern names, of which there is one.
func each(dir, pattern string, do func(name string) error) error {
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("no file %s, %v", pattern, err)
	}
	for _, name := range names {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

func overwrite(dir, pattern string, content []byte) error {
	return each(dir, pattern, func(name string) error { return os.WriteFile(name, content, 0o600) })
}

func removeAll(dir, pattern string) error { return each(dir, pattern, os.Remove) }

func truncate(dir, pattern string) error {
	return each(dir, pattern, func(name string) error {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		return os.Truncate(name, info.Size()/2)
	})
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
		want := map[bool]os.FileMode{false: 0o600, true: 0o700}[e.IsDir()]
		if info, err := e.Info(); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, %v, want %v", e.Name(), info.Mode(), err, want)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v, want 0700", info.Mode(), err)
	}
}
