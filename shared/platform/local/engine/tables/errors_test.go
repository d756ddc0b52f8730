package tables

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cockroachdb/errors"
	"github.com/cockroachdb/errors/join"
	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// It passes with the original of the package too: GOWORK=off.
func TestErrorsAreWhatPebbleNeeds(t *testing.T) {
	cause, other := errors.New("cause"), errors.New("other")
	notFound := &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}
	for _, tt := range []struct {
		does string
		err  error
		text string
		is   error // nil: only the text counts
	}{
		{"wrap", errors.Wrap(cause, "read"), "read: cause", cause},
		{"wrap with a format", errors.Wrapf(cause, "read %d", 7), "read 7: cause", cause},
		{"wrap with a format and a safe value", errors.Wrapf(cause, "read %06d", errors.Safe(7)), "read 000007: cause", cause},
		{"format", errors.Newf("%s %d", "table", 7), "table 7", nil},
		{"format with a cause", errors.Errorf("read: %w", cause), "read: cause", cause},
		{"mark, as what is marked", errors.Mark(cause, other), "cause", cause},
		{"mark, as the mark", errors.Mark(cause, other), "cause", other},
		{"a mark inside a wrap", errors.Wrap(errors.Mark(cause, other), "read"), "read: cause", other},
		{"mark as not existing", errors.Mark(cause, os.ErrNotExist), "cause", fs.ErrNotExist},
		{"combine", errors.CombineErrors(cause, other), "cause", cause},
		{"combine with nothing before", errors.CombineErrors(nil, other), "other", other},
		{"a stack", errors.WithStack(cause), "cause", cause},
		{"a detail", errors.WithDetailf(cause, "%d", 7), "cause", cause},
		{"join, the first", join.Join(cause, other), "cause\nother", cause},
		{"join, the second", join.Join(cause, other), "cause\nother", other},
		{"innermost", errors.UnwrapAll(errors.Wrap(errors.WithStack(notFound), "open")), "no such file or directory", syscall.ENOENT},
	} {
		if got := tt.err.Error(); got != tt.text {
			t.Errorf("%s: the text is %q, want %q", tt.does, got, tt.text)
		}
		if tt.is != nil && !errors.Is(tt.err, tt.is) {
			t.Errorf("%s: %q is not %q, want it to be", tt.does, tt.err, tt.is)
		}
	}
	for does, err := range map[string]error{
		"wrap": errors.Wrap(nil, "x"), "wrap with a format": errors.Wrapf(nil, "x"), "mark": errors.Mark(nil, other), "stack": errors.WithStack(nil),
		"combine": errors.CombineErrors(nil, nil), "detail": errors.WithDetailf(nil, "x"), "hint": errors.WithHintf(nil, "x"),
	} {
		if err != nil {
			t.Errorf("%s of no error is %v, want none", does, err)
		}
	}
	var path *os.PathError
	if wrapped := errors.Wrap(errors.WithStack(notFound), "open"); !oserror.IsNotExist(wrapped) || oserror.IsExist(wrapped) || !errors.As(wrapped, &path) {
		t.Errorf("%v is not a file that is missing, want it to be", wrapped)
	}
	if errors.Is(errors.CombineErrors(cause, other), other) {
		t.Error("the second of two combined errors is found, want only the first")
	}
}

func TestADamagedTableIsSaidToBeDamaged(t *testing.T) {
	dir := t.TempDir()
	at := func(fatal func(string, ...any)) Tables {
		t.Helper()
		opened, err := Open(vfs.Default, dir, fatal)
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	key, whole := []byte("key"), at(t.Fatalf)
	b := whole.NewBatch()
	err := errors.Join(b.Set(key, []byte("value")), whole.Apply(b), b.Close())
	flushed, failed := whole.Flush()
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	<-flushed
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(files) != 1 {
		t.Fatalf("there are %d tables, %v, want 1", len(files), err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	content[0] ^= 1
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	told := false
	damaged := at(func(string, ...any) { told = true })
	defer damaged.Close()
	if _, err := damaged.Get(key); !IsDamage(err) || !told {
		t.Errorf("reading a table with a bit flipped: %v, told of it: %t, want an error that says damage, and a call of fatal", err, told)
	}
}
