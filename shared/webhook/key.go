package webhook

import "time"

// KeyRole says what a tenant's key can do; see package apikey.
type KeyRole string

// The roles of tenants' keys. They are alternatives, not levels.
const (
	KeyPublish KeyRole = "publish" // publish events
	KeyPortal  KeyRole = "portal"  // subscriptions and deliveries
	KeyManage  KeyRole = "manage"  // the tenant, except its keys
)

// Key is the stored part of an API key of a tenant. The key itself is not stored.
type Key struct {
	Tenant    string
	ID        string // key_…, a pure function of the key
	Hash      []byte // SHA-256 of the key
	Role      KeyRole
	Name      string // for people; may be ""
	CreatedAt time.Time
	ExpiresAt time.Time // refused from then on; zero means never
}
