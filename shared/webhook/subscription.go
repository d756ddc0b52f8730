package webhook

import (
	"encoding/json"
	"time"
)

// State tells whether a subscription receives.
type State string

// The states of a subscription. Active and paused are the owner's to set;
// disabled is ours, with a reason.
const (
	Active   State = "active"
	Paused   State = "paused"
	Disabled State = "disabled"
)

// Subscription is one subscriber's wish: which events, where to, and how.
// Every stored version is immutable; a change makes a new one.
type Subscription struct {
	Tenant         string           `json:"-"`
	ID             string           `json:"id"`
	Version        int64            `json:"version"` // of the tenant's change counter: unique within the tenant for ever
	Born           int64            `json:"-"`       // Version of its creation: an id that is deleted and made anew differs here
	Name           string           `json:"name"`
	Description    string           `json:"description"`
	Metadata       json.RawMessage  `json:"metadata"`                // one JSON object; nil means {}
	URL            string           `json:"url"`                     // "" if it only emits, or is pulled
	Pull           bool             `json:"pull,omitempty"`          // its deliveries wait until somebody pulls them; never changes
	Portal         bool             `json:"portal,omitempty"`        // a portal key chose where it goes: no secret goes there that was not made for portal keys
	Types          []string         `json:"types,omitempty"`         // exact, or with a trailing "*"; nil means every type except postino.*
	Filter         json.RawMessage  `json:"filter,omitempty"`        // an event pattern; nil means none
	Heavy          int              `json:"heavy,omitempty"`         // bytes of memory that types and filters take in fan-out, beyond FreeFilter
	Within         Quota            `json:"-"`                       // holds when it is saved; not stored
	Trigger        json.RawMessage  `json:"trigger,omitempty"`       // when a match leads to a callback; nil means always
	TriggerEpoch   int64            `json:"trigger_epoch,omitempty"` // see Epoch
	MaxAge         string           `json:"max_age,omitempty"`       // of an event, beyond which it is skipped; "" means any
	Campaign       string           `json:"campaign,omitempty"`      // that it is part of; "" for none
	Quiet          json.RawMessage  `json:"quiet,omitempty"`         // its own quiet hours; nil means those of the campaign, if any
	Request        *RequestSpec     `json:"request,omitempty"`
	Emit           *Emit            `json:"emit,omitempty"`      // the event that it makes of what it gets; nil means none
	Auth           *SealedAuth      `json:"auth,omitempty"`      // nil means none
	Signature      *SealedSignature `json:"signature,omitempty"` // further ones beside that of Standard Webhooks; nil means none
	Signing        string           `json:"signing"`             // "v1" or "v1a": the scheme of the newest of Secrets
	Retry          RetrySpec        `json:"retry"`
	RateLimit      *RateLimit       `json:"rate_limit,omitempty"` // nil means none
	State          State            `json:"state"`
	DisabledReason string           `json:"disabled_reason,omitempty"`
	DisabledAt     time.Time        `json:"disabled_at,omitzero"` // when we last disabled it, unless over an operational event; stays until the first change after it is active again
	Secrets        []SigningSecret  `json:"-"`                    // newest first; every one that has not expired signs
	CreatedAt      time.Time        `json:"created_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
}

// RequestSpec says what a subscriber wants to receive. Url, header values, and
// the strings and keys of a body are Liquid templates.
type RequestSpec struct {
	Format      string            `json:"format,omitempty"`       // without a body: "standard" (default) or "cloudevents"
	Method      string            `json:"method,omitempty"`       // "POST" by default
	Headers     map[string]string `json:"headers,omitempty"`      // by literal name
	ContentType string            `json:"content_type,omitempty"` // of the body; "application/json" by default
	Body        json.RawMessage   `json:"body,omitempty"`         // a JSON string is raw text, any other value a tree of templates
	Require     []string          `json:"require,omitempty"`      // paths that must be present and not empty
}

// SealedAuth is how callbacks prove who sends them: what can be shown of it,
// and all of it sealed.
type SealedAuth struct {
	Sealed  []byte          `json:"sealed"`            // auth.Auth, additional data (tenant, subscription, "auth")
	Shown   json.RawMessage `json:"shown"`             // as reads show it, stars for secrets
	Header  string          `json:"header"`            // the header that it sets, in lower case; "" for none
	TLS     bool            `json:"tls,omitempty"`     // it holds certificates
	Secrets []string        `json:"secrets,omitempty"` // names of the secrets that it mentions
	Reach   string          `json:"reach,omitempty"`   // auth.Auth's Reach: whom it trusts beside the url
	Portal  bool            `json:"portal,omitempty"`  // a portal key gave it, and may take it elsewhere
}

// SealedSignature is how callbacks are signed as another sender would: what can
// be shown of it, and all of it sealed.
type SealedSignature struct {
	Sealed  []byte          `json:"sealed"`            // cosign.List, additional data (tenant, subscription, "signature")
	Shown   json.RawMessage `json:"shown"`             // as reads show it, stars for secrets
	Headers []string        `json:"headers"`           // that it sets, in lower case
	Form    bool            `json:"form,omitempty"`    // it needs a form as the body
	Secrets []string        `json:"secrets,omitempty"` // names of the secrets that it mentions
	Portal  bool            `json:"portal,omitempty"`  // a portal key gave it, and may take it elsewhere
}

// RetrySpec says when to try again and when to stop. Durations are written as
// in the API ("5s").
type RetrySpec struct {
	Schedule  []string `json:"schedule"`  // waits before each later attempt; empty means one attempt in all
	Timeout   string   `json:"timeout"`   // from connect to the answer's last byte
	Success   []string `json:"success"`   // statuses that end it well: "2xx", "409"
	Permanent []string `json:"permanent"` // statuses that end it badly at once
}

// RateLimit is the most callbacks that a subscriber gets.
type RateLimit struct {
	PerSecond int `json:"per_second"`
}

// SigningSecret is one key that signs a subscription's callbacks, sealed.
type SigningSecret struct {
	Scheme  string    `json:"scheme"`           // "v1" or "v1a"
	Sealed  []byte    `json:"sealed"`           // by secret.Sealer, additional data (tenant, subscription, "signing")
	Public  string    `json:"public,omitempty"` // whpk_… of a v1a key; empty for v1
	Expires time.Time `json:"expires,omitzero"` // signs until then; zero means until replaced
	Created time.Time `json:"created,omitzero"`
}

// Head is the current face of a subscription: what matching and each attempt
// must know now. All else stands in the version it names.
type Head struct {
	Tenant   string
	ID       string
	Version  int64
	Born     int64
	State    State
	Types    []string
	Filter   json.RawMessage
	Epoch    int64    // see [Subscription.Epoch]
	Cancels  []Cancel // of the trigger; at most [MaxCancels]
	Campaign string   // see [Subscription]
	Heavy    int      // see [Subscription.Heavy]
	Health   Health   // of this version
}

// MaxCancels is the most cancel clauses of one trigger.
const MaxCancels = 16

// Cancel says which events cancel what a trigger has set a timer for.
type Cancel struct {
	Types  []string        `json:"types,omitempty"`  // as a subscription's
	Filter json.RawMessage `json:"filter,omitempty"` // as a subscription's
}

// Epoch names the life of the trigger's state: changes of the trigger that
// make counts meaningless begin another one. It is the version at which the
// trigger last began afresh, or a number between that and the one before.
func (s Subscription) Epoch() int64 {
	if s.TriggerEpoch != 0 {
		return s.TriggerEpoch
	}
	return s.Born
}

// Head returns the subscription's head.
func (s Subscription) Head() Head {
	return Head{
		Tenant: s.Tenant, ID: s.ID, Version: s.Version, Born: s.Born, State: s.State, Types: s.Types, Filter: s.Filter,
		Epoch: s.Epoch(), Cancels: s.cancels(), Campaign: s.Campaign, Heavy: s.Heavy,
	}
}

// cancels returns the cancel clauses of a trigger that was judged when it was
// saved.
func (s Subscription) cancels() []Cancel {
	var trigger struct {
		Cancel []Cancel `json:"cancel"`
	}
	if len(s.Trigger) > 0 && json.Unmarshal(s.Trigger, &trigger) != nil {
		return nil
	}
	return trigger.Cancel
}

// SubscriptionRef names a subscription across tenants.
type SubscriptionRef struct{ Tenant, ID string }

// VersionRef names one immutable version of a subscription.
type VersionRef struct {
	Tenant, ID string
	Version    int64
}

// Change says that a subscription changed (or went) at a version of its tenant.
type Change struct {
	Version      int64
	Subscription string
}

// Size returns about how many bytes of memory the subscription takes.
func (s Subscription) Size() int {
	const fields = 1 << 10 // all but the texts that may be long
	n := fields + len(s.Name) + len(s.Description) + len(s.Metadata) + len(s.URL) + len(s.Filter) + len(s.Trigger) + len(s.Quiet)
	for _, t := range s.Types {
		n += 16 + len(t)
	}
	if s.Request != nil {
		n += len(s.Request.Body)
		for name, value := range s.Request.Headers {
			n += 64 + len(name) + len(value)
		}
		for _, path := range s.Request.Require {
			n += 16 + len(path)
		}
	}
	if s.Auth != nil {
		n += len(s.Auth.Sealed) + len(s.Auth.Shown)
	}
	if s.Signature != nil {
		n += 2*len(s.Signature.Sealed) + len(s.Signature.Shown)
	}
	for _, secret := range s.Secrets {
		n += 64 + len(secret.Sealed)
	}
	return n
}
