package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

// Restored says what a backup was.
type Restored struct {
	Version string // of the Postino that wrote it
	MadeAt  time.Time
	Rows    int64
}

// Restore makes data of a backup in a folder that is empty or does not exist. It
// refuses a file that a newer release wrote, or whose checksums are wrong, and
// leaves nothing then. A restore that is killed leaves a folder that no server
// takes.
func Restore(ctx context.Context, from, data string) (_ Restored, err error) {
	file, err := os.Open(from)
	if err != nil {
		return Restored{}, err
	}
	defer file.Close()
	r := &restorer{ctx: ctx, from: from, data: data, tar: tar.NewReader(bufio.NewReaderSize(file, 1<<20))}
	h, err := r.header()
	if err != nil {
		return Restored{}, err
	}
	if err := r.makeFolder(); err != nil {
		return Restored{}, err
	}
	if err := r.restore(); err != nil {
		return Restored{}, errors.Join(err, r.undo())
	}
	return Restored{h.Version, h.MadeAt, h.Rows}, nil
}

// restorer makes a folder of an archive.
type restorer struct {
	ctx        context.Context
	from, data string
	tar        *tar.Reader
	made       bool         // the folder was not there
	sums       bytes.Buffer // of what was read
	format     []byte       // content of the last file to write
	names      []string     // of what was written
}

// header reads what wrote the archive.
func (r *restorer) header() (h header, err error) {
	next, err := r.tar.Next()
	if err != nil || next.Name != headerName || next.Size > 1<<16 {
		return h, fmt.Errorf("%s is no backup of Postino: want a file that postino backup wrote", r.from)
	}
	var said bytes.Buffer
	if err := r.read(next, &said); err != nil {
		return h, err
	}
	if err := json.Unmarshal(said.Bytes(), &h); err != nil {
		return h, r.damaged(headerName + " is no JSON")
	}
	if h.Format > format || h.Data > engine.Format {
		return h, fmt.Errorf("%s was written by a newer release, Postino %s: restore it with that one, or a later one", r.from, h.Version)
	}
	return h, nil
}

// makeFolder makes the folder, unless it is there and empty.
func (r *restorer) makeFolder() error {
	entries, err := os.ReadDir(r.data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.made = true
		return os.MkdirAll(r.data, 0o700)
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty, it has %s: restore to a new folder", r.data, entries[0].Name())
	}
	return nil
}

// restore writes the files, and when all checksums are right the one without
// which no server takes the folder.
func (r *restorer) restore() error {
	for {
		next, err := r.tar.Next()
		if err != nil {
			return r.damaged("it ends too early") // the checksums would be last
		}
		if next.Name == sumsName {
			return r.finish()
		}
		if err := r.file(next); err != nil {
			return err
		}
	}
}

// file writes one file.
func (r *restorer) file(next *tar.Header) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if next.Name == formatName {
		var content bytes.Buffer
		err := r.read(next, &content)
		r.format = content.Bytes()
		return err
	}
	if next.Typeflag != tar.TypeReg || !filepath.IsLocal(next.Name) {
		return r.damaged(fmt.Sprintf("%q is no file of a data folder", next.Name))
	}
	return r.write(next.Name, func(w io.Writer) error { return r.read(next, w) })
}

// write writes a file of the folder, and lets the disk take it.
func (r *restorer) write(name string, content func(io.Writer) error) error {
	path := filepath.Join(r.data, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	r.names = append(r.names, strings.Split(name, "/")[0])
	err = content(file)
	return errors.Join(err, file.Sync(), file.Close())
}

// read copies the content of an entry and sums it up.
func (r *restorer) read(next *tar.Header, to io.Writer) error {
	sum, failed := sha256.New(), &failing{w: to}
	if _, err := io.Copy(io.MultiWriter(failed, sum), r.tar); failed.err != nil {
		return failed.err
	} else if err != nil {
		return r.damaged(next.Name + " is cut off")
	}
	fmt.Fprintf(&r.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), next.Name)
	return nil
}

// failing remembers that writing failed, and not reading.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) Write(p []byte) (n int, err error) {
	n, f.err = f.w.Write(p)
	return n, f.err
}

// finish compares the checksums and completes the folder.
func (r *restorer) finish() error {
	want, err := io.ReadAll(r.tar)
	if err != nil {
		return r.damaged("it ends too early")
	}
	if !bytes.Equal(want, r.sums.Bytes()) {
		return r.damaged(differing(string(want), r.sums.String()))
	}
	return r.write(formatName, func(w io.Writer) error {
		_, err := w.Write(r.format)
		return err
	})
}

// differing says which file is not as its checksum says.
func differing(want, got string) string {
	for line := range strings.Lines(got) {
		if !strings.Contains(want, line) {
			_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			return "the checksum of " + name + " is wrong"
		}
	}
	return "a file is missing"
}

func (r *restorer) damaged(how string) error {
	return fmt.Errorf("%s is damaged: %s: take another backup", r.from, how)
}

// undo removes what was written.
func (r *restorer) undo() error {
	var errs []error
	for _, name := range r.names {
		errs = append(errs, os.RemoveAll(filepath.Join(r.data, name)))
	}
	if r.made {
		errs = append(errs, os.Remove(r.data))
	}
	return errors.Join(errs...)
}
