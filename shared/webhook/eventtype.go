package webhook

import (
	"encoding/json"
	"time"
)

// EventType is a registered type of a tenant's events. Events of other types can
// be published too.
type EventType struct {
	Tenant      string
	Type        string
	Description string
	Schema      json.RawMessage // JSON Schema of the events' data; nil means none
	Sample      json.RawMessage // data of a typical event; nil means none
	Deprecated  bool            // shown, without effect
	UpdatedAt   time.Time
}
