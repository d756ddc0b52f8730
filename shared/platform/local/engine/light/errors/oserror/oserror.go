// Package oserror recognizes the errors of files.
package oserror

import (
	"os"

	"github.com/cockroachdb/errors"
)

// Those of package os.
var (
	ErrInvalid    = os.ErrInvalid
	ErrPermission = os.ErrPermission
	ErrExist      = os.ErrExist
	ErrNotExist   = os.ErrNotExist
)

// IsPermission is [os.IsPermission] of an error or of what it wraps.
func IsPermission(err error) bool {
	return errors.Is(err, ErrPermission) || os.IsPermission(errors.UnwrapAll(err))
}

// IsExist is [os.IsExist], likewise.
func IsExist(err error) bool { return errors.Is(err, ErrExist) || os.IsExist(errors.UnwrapAll(err)) }

// IsNotExist is [os.IsNotExist], likewise.
func IsNotExist(err error) bool {
	return errors.Is(err, ErrNotExist) || os.IsNotExist(errors.UnwrapAll(err))
}
