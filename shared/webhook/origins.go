package webhook

import "time"

// Origins are the web pages that may show a tenant's portal within themselves.
type Origins struct {
	Tenant    string
	List      []string // scheme, host, and port if it is not the usual one; none has a space
	UpdatedAt time.Time
}
