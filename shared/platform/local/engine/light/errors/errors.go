// Package errors has the functions of github.com/cockroachdb/errors that Pebble
// calls, and that Postino shows nothing more of: errors without stacks, hints and
// reports.
package errors

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/redact"
)

// Those of the standard library.
var (
	New  = errors.New
	Is   = errors.Is
	As   = errors.As
	Join = errors.Join
)

// Newf is [fmt.Errorf], and so are Errorf and AssertionFailedf.
func Newf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// Errorf is [Newf].
func Errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// AssertionFailedf is [Newf] for what cannot happen.
func AssertionFailedf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// Wrap puts text before an error; nil stays nil.
func Wrap(err error, text string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", text, err)
}

// Wrapf is Wrap with a format.
func Wrapf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return Wrap(err, fmt.Sprintf(format, args...))
}

// Mark returns err, which from now on also is what mark is; nil stays nil.
func Mark(err, mark error) error {
	if err == nil {
		return nil
	}
	return marked{err, mark}
}

type marked struct {
	error
	mark error
}

func (m marked) Unwrap() error { return m.error }

func (m marked) Is(target error) bool { return errors.Is(m.mark, target) }

// CombineErrors returns the first of two errors, or the one that is not nil.
func CombineErrors(err, other error) error {
	if err == nil {
		return other
	}
	return err
}

// UnwrapAll returns the innermost error.
func UnwrapAll(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Safe says that a value is no secret.
func Safe(value any) redact.SafeValue { return redact.Safe(value) }

// What follows adds nothing to an error's text.

// WithStack returns err.
func WithStack(err error) error { return err }

// WithDetailf returns err.
func WithDetailf(err error, _ string, _ ...any) error { return err }

// WithHintf returns err.
func WithHintf(err error, _ string, _ ...any) error { return err }

// WithSafeDetails returns err.
func WithSafeDetails(err error, _ string, _ ...any) error { return err }

// WithSecondaryError returns err.
func WithSecondaryError(err, _ error) error { return err }
