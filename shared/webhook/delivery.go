package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	stdhash "hash"
	"sync"
	"time"
)

// Status is the state of a delivery.
type Status string

// The statuses. All except Pending are final, until the delivery is sent again.
const (
	Pending   Status = "pending"
	Succeeded Status = "succeeded"
	Exhausted Status = "exhausted"
	Canceled  Status = "canceled"
)

// Waiting says what a pending delivery waits for; "" means nothing: its
// attempt is running or about to start.
type Waiting string

// What a delivery can wait for.
const (
	WaitRetry     Waiting = "retry"
	WaitTimer     Waiting = "timer"
	WaitPaused    Waiting = "paused"
	WaitDisabled  Waiting = "disabled"
	WaitBreaker   Waiting = "breaker"
	WaitRateLimit Waiting = "rate_limit"
	WaitQuiet     Waiting = "quiet" // that quiet hours are over
	WaitPull      Waiting = "pull"  // that somebody pulls it, or says how it went
)

// Reason says why a delivery ended without success, or why an event led to no
// delivery.
type Reason string

// The reasons that the API documents.
const (
	ReasonType          Reason = "type"
	ReasonFilter        Reason = "filter"
	ReasonProfile       Reason = "profile" // what the filter asks of the profile or the segments is not so
	ReasonFilterCost    Reason = "filter_too_costly"
	ReasonNoKey         Reason = "no_key"
	ReasonDuplicate     Reason = "duplicate"
	ReasonNotDue        Reason = "not_due"
	ReasonCanceledBy    Reason = "canceled_by_event"
	ReasonStale         Reason = "stale"
	ReasonMissingField  Reason = "missing_field"
	ReasonMissingSecret Reason = "missing_secret"
	ReasonOnce          Reason = "once"
	ReasonCap           Reason = "cap"
	ReasonAudience      Reason = "audience"    // the subject is not whom the campaign is for
	ReasonNotStarted    Reason = "not_started" // the campaign is a draft, or begins later
	ReasonEnded         Reason = "ended"       // the campaign was stopped, or is over
	ReasonHoldout       Reason = "holdout"     // the campaign holds the subject out, to compare
	ReasonQuiet         Reason = "quiet"       // it came in quiet hours
	ReasonAbort         Reason = "abort"
	ReasonRenderError   Reason = "render_error"
	ReasonTooLarge      Reason = "too_large"
	ReasonManual        Reason = "manual"
	ReasonDeleted       Reason = "subscription_deleted"
	ReasonExpired       Reason = "expired"
	ReasonGone          Reason = "gone"
	ReasonPermanent     Reason = "permanent"
	ReasonChanged       Reason = "changed" // the subscription did not select the event when it came, and would now
	ReasonEmitted       Reason = "emitted" // an event was made of it; its subscription has no url
	ReasonDepth         Reason = "depth"   // so many events have followed from each other that none is made of it
	ReasonHistory       Reason = "history" // the event is of the past: see [History]
)

// MaxWait is how long a delivery may wait for its subscription to open.
const MaxWait = 30 * 24 * time.Hour

// Delivery is one callback to one subscription, from the decision to the end.
type Delivery struct {
	Tenant       string
	ID           string
	EventID      string
	EventSource  string
	EventType    string
	Subscription string
	Version      int64  // of the subscription when it was decided
	Occasion     string // which firing; "" for a plain match
	Count        int    // events that the trigger had counted for the key; 0 without a count
	Status       Status
	Waiting      Waiting
	Reason       Reason
	Detail       string    // the reason as text: a field, a secret's name, a limit; no data of the event
	Round        int       // 0 at first; each new start of the schedule adds one
	Step         int       // automatic attempts made in this round = index of the next one
	NextAt       time.Time // zero when nothing is planned
	Attempts     int       // attempts made in all: the number of the newest
	CreatedAt    time.Time // the event's acceptance; of a replay, when that was asked for
	EndedAt      time.Time
	WaitingSince time.Time // since when in the waiting line; zero when not
	Digest       string    // of the body's bytes; "" until it is rendered and stored
	Last         *Attempt  // newest attempt; whole if it succeeded at once, else without its response
	Claim        Claim     // who is making the attempt (Round, Step)
	Rev          int64     // store's count of writes; 0 means not stored yet
}

// InLine reports whether the delivery is in its subscription's waiting line, and
// not waiting for a time. Under a rate limit both are possible.
func (d Delivery) InLine() bool {
	switch d.Waiting {
	case WaitPaused, WaitDisabled, WaitBreaker, WaitRateLimit:
		return d.NextAt.IsZero()
	}
	return false
}

// Timed reports whether the delivery waits for its attempt at NextAt.
func (d Delivery) Timed() bool {
	return d.Waiting == WaitRetry || d.Waiting == WaitRateLimit && !d.NextAt.IsZero()
}

// Held reports whether the delivery has waited for its subscription or its turn
// before its first attempt. Then max_age and cancels are checked again before the
// attempt. A delivery that is sent again by hand is not checked.
func (d Delivery) Held() bool {
	return d.Status == Pending && d.Rev > 0 && d.Attempts == 0 && d.Round == 0
}

// EventKey names the delivery's event; see [EventKey].
func (d Delivery) EventKey() string { return EventKey(d.EventSource, d.EventID) }

// Claim says that a worker is making the attempt (Round, Step).
type Claim struct {
	Token string    `json:"token,omitempty"`
	Until time.Time `json:"until,omitzero"` // after this the worker counts as crashed
}

// ErrorClass says how an attempt failed.
type ErrorClass string

// The error classes; "" means that the attempt succeeded.
const (
	ErrorStatus  ErrorClass = "status"
	ErrorDNS     ErrorClass = "dns"
	ErrorConnect ErrorClass = "connect"
	ErrorTLS     ErrorClass = "tls"
	ErrorTimeout ErrorClass = "timeout"
	ErrorReset   ErrorClass = "reset"
	ErrorRefused ErrorClass = "refused_address"
	ErrorAuth    ErrorClass = "auth"
)

// Attempt is one POST and its result.
type Attempt struct {
	Number     int        `json:"number"` // 1 for the first
	Manual     bool       `json:"manual"`
	StartedAt  time.Time  `json:"started_at"`
	DurationMS int64      `json:"duration_ms"`
	StatusCode int        `json:"status_code"` // 0 when no answer came
	Error      ErrorClass `json:"error"`
	Detail     string     `json:"detail,omitempty"` // the failure as text, without secrets
	Response   *Response  `json:"response,omitempty"`
}

// Response is the stored part of a subscriber's answer.
type Response struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"` // the first 4 KiB (256 bytes of a 2xx), invalid UTF-8 replaced
}

// Content is the rendered part of a delivery that never changes: its body.
type Content struct {
	Method      string
	ContentType string
	Body        Text
}

// Target is the part of a delivery that each attempt renders from the current
// subscription: the url and the headers.
type Target struct {
	URL     Text     `json:"url"`
	Headers []Header `json:"headers,omitempty"` // names in lower case
}

// Header is one rendered request header.
type Header struct {
	Name  string `json:"name"`
	Value Text   `json:"value"`
}

// Digest names a body's bytes: 128 bits are enough to notice a difference.
func (c Content) Digest() string {
	d := digests.Get().(*digest)
	defer digests.Put(d)
	d.Reset()
	for text := c.Body.Plain; text != ""; {
		n := copy(d.room[:], text)
		d.Write(d.room[:n])
		text = text[n:]
	}
	return hex.EncodeToString(d.Sum(d.room[:0])[:16])
}

// digest is a hash with room for what it reads, so that no body is copied whole.
type digest struct {
	stdhash.Hash
	room [1024]byte
}

var digests = sync.Pool{New: func() any { return &digest{Hash: sha256.New()} }}

// Text is rendered text with places for secrets, which only delivery fills.
// Plain holds everything else; event data cannot make an Insert.
type Text struct {
	Plain   string   `json:"plain"`
	Inserts []Insert `json:"inserts,omitempty"` // by ascending At
}

// Insert is the place of one secret within a [Text].
type Insert struct {
	At     int    `json:"at"`     // byte offset in Plain, before which the secret goes
	Secret string `json:"secret"` // its name
	Encode string `json:"encode"` // "", "json", "path", "query" or "form"
}

// Parts come with a delivery into the store, each under its own key: an
// attempt under its number, the content once. A repeat overwrites.
type Parts struct {
	Attempt *Attempt
	Content *Content
}

// Save is a delivery that is to be stored, with its parts.
type Save struct {
	Delivery Delivery
	With     Parts
}

// Due is a pointer to a message that must be sent at a time, further away than a
// queue can delay.
type Due struct {
	At           time.Time `json:"at"`
	Kind         DueKind   `json:"kind"`
	Tenant       string    `json:"tenant"`
	Subscription string    `json:"subscription,omitempty"`
	ID           string    `json:"id,omitempty"`    // delivery, timer or job
	Round        int       `json:"round,omitempty"` // of the delivery, or a timer's generation
	Step         int       `json:"step,omitempty"`
}

// DueKind says what a due pointer points to.
type DueKind string

// The kinds of due pointers.
const (
	DueRetry DueKind = "retry" // a delivery's next attempt
	DueLine  DueKind = "line"  // the hourly audit of a waiting line
	DueTimer DueKind = "timer" // a trigger's delay
	DueJob   DueKind = "job"   // a slice of a job
)
