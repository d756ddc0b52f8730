// Package join joins errors.
package join

import "errors"

// Join is [errors.Join].
func Join(errs ...error) error { return errors.Join(errs...) }
