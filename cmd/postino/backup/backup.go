// Package backup writes the data of local mode into one file, also while a
// server uses it, and makes a folder of such a file again.
//
// The file is a tar archive: what wrote it ([header]), the files of the folder,
// and at its end a checksum of each. It has the keys that seal secrets, so it is
// for its owner only.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

const (
	headerName = "postino.backup"
	sumsName   = "SHA256SUMS"
	formatName = "postino.format" // of the folder's data; written last, since a server takes no folder without it
	lockName   = "postino.lock"   // of a running server

	format = 1 // of the archive
)

// keyNames are the files beside the data. The second is missing if the key
// comes from the environment.
var keyNames = []string{"sealing.key", "admin.key"}

// header says what wrote a backup, and when.
type header struct {
	Format  int       `json:"format"`
	Data    int       `json:"data_format"`
	Version string    `json:"version"` // of Postino
	MadeAt  time.Time `json:"made_at"`
	Rows    int64     `json:"rows"`
}

// Written says what a backup has.
type Written struct {
	Rows  int64
	Bytes int64 // of the file
}

// Write copies the data of a folder into a file that does not exist. The copy
// has everything that was acknowledged before Write began. All of it is read
// once, so damaged data is refused. What fails leaves no file.
func Write(ctx context.Context, data, to, version string) (_ Written, err error) {
	if _, err := os.Stat(to); err == nil {
		return Written{}, fmt.Errorf("%s exists: choose another name", to)
	}
	began := time.Now()
	folder, err := engine.CopyFolder(data)
	if err != nil {
		return Written{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, "copy")
	rows, err := copyData(ctx, data, copied)
	if err != nil {
		return Written{}, err
	}
	written := Written{Rows: rows}
	written.Bytes, err = save(to, func(out io.Writer) error {
		return archive(ctx, out, copied, header{format, engine.Format, version, began.UTC().Truncate(time.Second), rows})
	})
	return written, err
}

// copyData copies the data, then the keys: one that is new meanwhile has sealed
// what the copy has.
func copyData(ctx context.Context, data, copied string) (rows int64, err error) {
	db, err := engine.OpenCopy(data, copied)
	if err != nil {
		return 0, err
	}
	rows, err = readAll(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	for i, name := range keyNames {
		key, err := os.ReadFile(filepath.Join(data, name))
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(copied, name), key, 0o600); err != nil {
			return 0, err
		}
	}
	return rows, nil
}

// readAll reads every row, whose checksums the engine compares.
func readAll(ctx context.Context, db *engine.DB) (rows int64, err error) {
	defer func() {
		if damage := recover(); damage != nil { // the engine ends a process that reads what is damaged
			err = fmt.Errorf("the data is damaged: %v", damage)
		}
	}()
	err = db.Scan(engine.Span{}, func(_, _ []byte) (bool, error) {
		rows++
		return true, ctx.Err()
	})
	return rows, err
}

// save writes a file for its owner only, which is there under its name when it
// is complete and the disk has it.
func save(to string, write func(io.Writer) error) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".part-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	err = write(file)
	if err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(file.Name(), to)
}

// archive writes a folder's files with their checksums.
func archive(ctx context.Context, out io.Writer, folder string, h header) error {
	a := archiver{tar: tar.NewWriter(out), at: h.MadeAt}
	said, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := a.add(headerName, int64(len(said)), strings.NewReader(string(said))); err != nil {
		return err
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || entry.IsDir() || entry.Name() == lockName || entry.Name() == "LOCK" {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return a.addFile(filepath.ToSlash(name), path)
	})
	if err != nil {
		return err
	}
	sums := a.sums.String()
	if err := a.add(sumsName, int64(len(sums)), strings.NewReader(sums)); err != nil {
		return err
	}
	return a.tar.Close()
}

// archiver adds files to an archive and sums them up.
type archiver struct {
	tar  *tar.Writer
	at   time.Time
	sums strings.Builder
}

func (a *archiver) addFile(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return a.add(name, info.Size(), file)
}

func (a *archiver) add(name string, size int64, content io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: a.at}); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(a.tar, sum), content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(&a.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name) // as sha256sum reads it
	return nil
}
