package webhook

import (
	"encoding/json"
	"time"
)

// Campaign is what several subscriptions have in common: when and to whom they
// send, how often in all, and what counts as a success.
type Campaign struct {
	Tenant    string
	ID        string
	Life      string          // new whenever the id is: what another life has claimed does not count
	Spec      json.RawMessage // as package campaign reads it
	Revision  int64           // count of writes; 0 if nothing is stored
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Cap bounds what all campaigns with a tag send in all.
type Cap struct {
	Tenant    string
	Name      string
	Life      string          // see [Campaign]
	Spec      json.RawMessage // as package campaign reads it
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time
}
