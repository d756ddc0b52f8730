package webhook

import "errors"

// The expected refusals of a store, found by errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("changed by somebody else") // the condition of a write is false: read again
	ErrExists   = errors.New("exists already")
	ErrGap      = errors.New("change log has a gap") // too old: load everything
	ErrDeleting = errors.New("is being deleted")     // a tenant: nothing can be added to it
	ErrBusy     = errors.New("try again later")      // throttled, full or stopping: nothing was written
)
