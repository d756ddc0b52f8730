package webhook

import "time"

// TenantState is how a tenant stands.
type TenantState struct {
	Version  int64 // its change counter, 0 before the first change; it never goes back
	People   int64 // counts the changes of its computed attributes and segments; 0: it never had any
	Deletion       // its last; zero if it was never deleted
}

// Deletion is a tenant's, which takes a while.
type Deletion struct {
	Began time.Time
	Ended time.Time // zero while it goes on
}

// Running reports whether the tenant is being deleted.
func (d Deletion) Running() bool { return !d.Began.IsZero() && d.Ended.IsZero() }

// Removes reports whether the deletion removes what was accepted at a time; one
// that never was removes nothing.
func (d Deletion) Removes(accepted time.Time) bool {
	return !d.Began.IsZero() && (d.Running() || !accepted.After(d.Ended))
}
