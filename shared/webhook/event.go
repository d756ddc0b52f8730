// Package webhook contains the types of Postino: events, subscriptions,
// deliveries and attempts, their ids, and the few errors that stages and stores
// share. It does not depend on storage, queues or the network.
package webhook

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Limits of the API.
const (
	MaxEventSize   = 256 << 10 // bytes of one event: envelope and data as published
	MaxRequestSize = 4 << 20   // bytes of one API request, locally and on AWS
	MaxBodySize    = 256 << 10 // bytes of one rendered callback body
	MaxBatch       = 500       // events in one publish request
)

// MaxAhead is how far an event's time can be ahead of Postino's clock.
const MaxAhead = 5 * time.Minute

// Event is something that happened in a tenant's product. Its identity within
// the tenant is (Source, ID).
type Event struct {
	Tenant     string          `json:"tenant"`
	ID         string          `json:"id"`                   // chosen by the publisher, or evt_…
	Source     string          `json:"source"`               // defaults to /tenants/{tenant}
	Type       string          `json:"type"`                 // such as "flight.booked"
	Subject    string          `json:"subject,omitempty"`    // what it is about, such as a user; "" means absent
	Time       time.Time       `json:"time"`                 // when it happened; defaults to AcceptedAt
	Data       json.RawMessage `json:"-"`                    // the published bytes; nil means absent
	Extensions json.RawMessage `json:"extensions,omitempty"` // other CloudEvents attributes, one JSON object; nil means none
	Profile    json.RawMessage `json:"-"`                    // the attributes of the subject's profile, as fan-out read them; nil if nobody asked
	AcceptedAt time.Time       `json:"accepted_at"`          // when ingest accepted it, by Postino's clock, whole milliseconds
	Nonce      string          `json:"nonce"`                // one per accepted publication; distinguishes Postino's repeats from the publisher's
	History    History         `json:"history,omitempty"`    // not 0: it is of the past, and nothing is sent for it
	Depth      uint8           `json:"depth,omitempty"`      // how many events led to it, one from the other, by emit; 0 for what was published
	Only       string          `json:"-"`                    // the one subscription that may get it; "" for any; messages carry it, stores do not
	Order      uint32          `json:"order,omitempty"`      // among what has the same AcceptedAt, as far as we know: see [OrderOf]; messages carry it, stores do not
}

// OrderOf orders events that were accepted within one millisecond: by the
// microsecond at which their request came, then by their place in it.
func OrderOf(came time.Time, place int) uint32 {
	const perMilli = uint32(time.Millisecond / time.Microsecond)
	return uint32(came.UnixMicro())%perMilli<<16 | uint32(place)
}

// SameContent reports whether two publications with one identity have the same
// content. A time that was omitted is the time of acceptance, and is not compared.
func (e Event) SameContent(f Event) bool {
	left := e.Time.Equal(e.AcceptedAt) && f.Time.Equal(f.AcceptedAt)
	return e.Type == f.Type && e.Subject == f.Subject && (left || e.Time.Equal(f.Time)) &&
		bytes.Equal(e.Data, f.Data) && bytes.Equal(e.Extensions, f.Extensions)
}

// madePrefix begins the ids of events whose publishers left them to us.
const madePrefix = "evt_"

// MadeID is the id of an event whose publisher left it to us. It has the event's
// nonce, which publishers cannot choose.
func MadeID(nonce string) string { return madePrefix + strings.ToLower(nonce) }

// Made reports whether the publisher left the event's id to us: then no publication
// before it had its identity.
func (e Event) Made() bool {
	rest, ours := strings.CutPrefix(e.ID, madePrefix)
	return ours && e.Nonce != "" && strings.EqualFold(rest, e.Nonce)
}

// Key names the event within its tenant; see [EventKey].
func (e Event) Key() string { return EventKey(e.Source, e.ID) }

// DefaultSource is the source of an event published without one.
func DefaultSource(tenant string) string { return "/tenants/" + tenant }

// PlanEntry is one decision of fan-out: this subscription, in this version, gets
// the event if its trigger fires.
type PlanEntry struct {
	Subscription string `json:"s"`
	Version      int64  `json:"v"`
	Cancels      uint16 `json:"c,omitempty"` // bit i: the event matches the trigger's i-th cancel clause
	CancelsOnly  bool   `json:"o,omitempty"` // the subscription itself does not match, or its campaign keeps it from the event
	Why          Reason `json:"w,omitempty"` // of CancelsOnly: why the campaign does; "" if it does not
	Asks         bool   `json:"a,omitempty"` // the campaign's rules are asked too, beside the trigger
	Costly       bool   `json:"x,omitempty"` // the filter needed too many steps: the delivery is canceled
	Group        Group  `json:"g,omitempty"` // with which its delivery's outcome may be kept; only if every match leads to a delivery
}

// Plan is what fan-out decided for an event. It is written once, and can be
// executed more than once. A small plan is part of the event, a large one has
// pages.
type Plan struct {
	Entries []PlanEntry `json:"entries,omitempty"` // at most [PlanInline]; empty when Pages > 0
	Pages   int         `json:"pages,omitempty"`   // number of stored pages, each of at most [PlanPage] entries
	Key     string      `json:"key,omitempty"`     // names those pages; new for each plan
	Total   int         `json:"total"`             // entries in all
}

// Sizes of a plan: entries in the event's own item, and in each page.
const (
	PlanInline = 100
	PlanPage   = 1000
)

// Replay is what fan-out decided for a replay of an event: the subscriptions that
// matched at that time.
type Replay struct {
	Tenant   string
	EventKey string
	ID       string    // "rpl_…"; the occasion of its deliveries
	At       time.Time // when it was requested, in milliseconds; its deliveries are ordered by it
	Plan     Plan
}

// StoredEvent is an event with its plan.
type StoredEvent struct {
	Event
	Plan     Plan
	Expunged bool // the payload was removed on request; Data is nil
}
