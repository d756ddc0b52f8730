package webhook

import (
	"encoding/json"
	"time"
)

// Job is work that is too large for one request. It is done in slices, one after
// the other, and reports its progress.
type Job struct {
	Tenant       string    `json:"-"`
	ID           string    `json:"-"` // job_…, in order of creation
	Kind         JobKind   `json:"kind"`
	Subscription string    `json:"subscription,omitempty"` // "" for the whole tenant
	Target       string    `json:"target,omitempty"`       // the tenant that is deleted; the job itself is the reserved tenant's
	Born         int64     `json:"born,omitempty"`         // of the subscription: another one with its id is not meant; of a tenant's deletion: its beginning, ms
	After        time.Time `json:"after,omitzero"`         // of a recover: only events accepted after this
	Before       time.Time `json:"before,omitzero"`        // and before this
	Of           Status    `json:"of,omitempty"`           // of a recover: the status of the deliveries to send again
	DryRun       bool      `json:"dry_run,omitempty"`      // only count
	Send         *Send     `json:"send,omitempty"`         // of a send: to whom, and what
	Waiting      []Waiting `json:"waiting,omitempty"`      // of a cancel: only deliveries that wait for one of these; none is any
	Subject      string    `json:"subject,omitempty"`      // of an erasure, until it is over
	Erased       *Erased   `json:"erased,omitempty"`       // of an erasure: what it has removed
	Status       JobStatus `json:"status"`
	Detail       string    `json:"detail,omitempty"` // why it stopped before its end; "" if it did not
	Counts       JobCounts `json:"counts"`

	Stage     int         `json:"stage,omitempty"`    // of the kind's own stages, the one at work
	Position  string      `json:"position,omitempty"` // in the list that the stage reads; "" at its beginning
	Reached   time.Time   `json:"reached,omitzero"`   // acceptance of the last delivery that was checked
	Decided   []JobTarget `json:"decided,omitempty"`  // decided, and possibly done in part
	Slice     int         `json:"slice"`              // number of finished slices, and so the number of the next
	CreatedAt time.Time   `json:"created_at"`
	UpdatedAt time.Time   `json:"updated_at"`
	EndedAt   time.Time   `json:"ended_at,omitzero"`
	Rev       int64       `json:"-"` // store's count of writes; 0 means not stored yet
}

// RecoverLease is the lease of a recover on its subscription ("" for a whole
// tenant), under its job's id.
const RecoverLease = "recover"

// JobKind says what a job does.
type JobKind string

// The kinds of jobs.
const (
	JobRecover            JobKind = "recover"             // sends ended deliveries again
	JobDeleteSubscription JobKind = "delete_subscription" // removes the data of a deleted subscription
	JobDeleteTenant       JobKind = "delete_tenant"       // removes a tenant with everything
	JobSend               JobKind = "send"                // publishes an event for each profile in a group
	JobErase              JobKind = "erase"               // removes what is known of a subject
	JobCount              JobKind = "count"               // counts the profiles of a segment
	JobCancel             JobKind = "cancel"              // cancels deliveries of a subscription that wait
)

// Erased counts what an erasure has removed. Each counts once, also after crashes.
type Erased struct {
	Profiles int64 `json:"profiles"` // 1 if there was one
	States   int64 `json:"states"`   // keys of triggers: counts, claims and delays that ran
	Events   int64 `json:"events"`   // of which the data, the subject and the bodies of their deliveries went
}

// SendType is the type of the events that sends publish.
const SendType = "postino.send"

// Send is what a job of that kind publishes, and for whom.
type Send struct {
	Subscription string          `json:"subscription"`       // which alone gets the events
	Segment      string          `json:"segment,omitempty"`  // the profiles in it
	Filter       json.RawMessage `json:"filter,omitempty"`   // those that meet the pattern
	Subjects     []string        `json:"subjects,omitempty"` // until the job is over
	Named        int             `json:"named,omitempty"`    // how many these were, once it is
	Data         json.RawMessage `json:"data,omitempty"`     // of each event
	Rate         int             `json:"rate,omitempty"`     // events a second at most; 0 bounds nothing
	At           time.Time       `json:"at,omitzero"`        // when it begins

	LocalTime   string      `json:"local_time,omitempty"`   // "10:00": each gets it when their own clock first shows this; "" is at once
	Zone        string      `json:"zone,omitempty"`         // of these clocks: a time zone, or where the profile has one
	DefaultZone string      `json:"default_zone,omitempty"` // of those who have none
	Turns       []time.Time `json:"turns,omitempty"`        // with a LocalTime: when clocks show it, ascending, as far as they are known
	Surveyed    bool        `json:"surveyed,omitempty"`     // they are all known
	Turn        int         `json:"turn,omitempty"`         // the one that it is at
}

// MaxTurns is how many different times the local time of a send can be: clocks of
// the world differ by quarters of an hour.
const MaxTurns = 112

// JobStatus is the state of a job.
type JobStatus string

// The statuses of jobs.
const (
	JobRunning JobStatus = "running"
	JobDone    JobStatus = "done"
	JobPaused  JobStatus = "paused"  // a send that waits until it is resumed
	JobStopped JobStatus = "stopped" // before its end, for the reason in Detail
)

// JobCounts is what a job has done so far. Each delivery counts once, also after
// crashes.
type JobCounts struct {
	Matched  int64 `json:"matched"`  // deliveries in its range; of a send: profiles in its group
	Sent     int64 `json:"sent"`     // of these, those sent again; of a send: events that were published
	Skipped  int64 `json:"skipped"`  // of these, those whose status had changed
	Canceled int64 `json:"canceled"` // deliveries that it canceled: of a deleted subscription, or as it was asked to
	Removed  int64 `json:"removed"`  // stored items that a deletion removed
}

// JobTarget is one delivery, subject, event or key of a job's decision.
type JobTarget struct {
	Delivery string    `json:"d,omitempty"`
	Subject  string    `json:"s,omitempty"`
	Source   string    `json:"f,omitempty"` // with Event: one event
	Event    string    `json:"e,omitempty"`
	State    *StateRef `json:"k,omitempty"` // the state of one key
	Version  int64     `json:"v,omitempty"` // with Event and Delivery: of the subscription that the event's plan names
	Round    int       `json:"r,omitempty"` // in which it was found
}

// JobSlice is the maximum number of deliveries in one decision of a job.
const JobSlice = 250
