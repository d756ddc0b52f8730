package webhook

import "encoding/json"

// Emit says which event a subscription makes of what it gets.
type Emit struct {
	On      string          `json:"on"`                // EmitOnFire or EmitOnSuccess
	Type    string          `json:"type"`              // of the event
	Data    json.RawMessage `json:"data,omitempty"`    // a tree of templates; nil is the data of the event that led to it
	Subject string          `json:"subject,omitempty"` // a template; "" is the subject of the event that led to it
}

// When an event is made.
const (
	EmitOnFire    = "fire"    // the subscription's trigger has fired
	EmitOnSuccess = "success" // its callback has succeeded
)

// MaxDepth is how many events can follow from each other by emit.
const MaxDepth = 5

// Emits reports whether the subscription makes events at that moment.
func (s Subscription) Emits(on string) bool { return s.Emit != nil && s.Emit.On == on }

// Calls reports whether the subscription has deliveries, posted or pulled: one
// without only makes events.
func (s Subscription) Calls() bool { return s.URL != "" || s.Pull }

// EmittedID is the id of the event that a subscription makes of another: one for
// each, however often it is made.
func EmittedID(e Event, subscription string) string {
	return "emt_" + Hash(20, "emit", e.Tenant, e.Key(), subscription)
}

// EmittedSource is the source of the events that a subscription makes.
func EmittedSource(tenant, subscription string) string {
	return DefaultSource(tenant) + "/subscriptions/" + subscription
}
