package webhook

import (
	"encoding/json"
	"time"
)

// EventType is what a tenant has registered about the events of one type. Types
// that are not registered are published all the same.
type EventType struct {
	Tenant      string
	Type        string
	Description string
	Schema      json.RawMessage // JSON Schema of the events' data; nil means none
	Sample      json.RawMessage // data of a typical event; nil means none
	Deprecated  bool            // shown, and without effect
	UpdatedAt   time.Time
}
