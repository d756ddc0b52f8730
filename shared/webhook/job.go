package webhook

import "time"

// Job is a piece of work that is too large for one request: it is done in
// slices, one after the other, and tells how far it is.
type Job struct {
	Tenant       string    `json:"-"`
	ID           string    `json:"-"` // job_…, in order of creation
	Kind         JobKind   `json:"kind"`
	Subscription string    `json:"subscription,omitempty"` // "" for the whole tenant
	Target       string    `json:"target,omitempty"`       // the tenant that is deleted; the job itself is the reserved tenant's
	Born         int64     `json:"born,omitempty"`         // of the subscription: another one with its id is not meant; of a tenant's deletion: its beginning, ms
	After        time.Time `json:"after,omitzero"`         // of a recover: only events accepted after this
	Before       time.Time `json:"before,omitzero"`        // and before this
	Of           Status    `json:"of,omitempty"`           // of a recover: deliveries that ended so
	DryRun       bool      `json:"dry_run,omitempty"`      // count, and do nothing
	Status       JobStatus `json:"status"`
	Detail       string    `json:"detail,omitempty"` // why it stopped before its end; "" if it did not
	Counts       JobCounts `json:"counts"`

	Stage     int         `json:"stage,omitempty"`    // of the kind's own stages, the one at work
	Position  string      `json:"position,omitempty"` // in the list that the stage walks; "" at its beginning
	Reached   time.Time   `json:"reached,omitzero"`   // acceptance of the last delivery looked at
	Decided   []JobTarget `json:"decided,omitempty"`  // what is to be done next: decided, and perhaps done in part
	Slice     int         `json:"slice"`              // slices that are over: the number of the next
	CreatedAt time.Time   `json:"created_at"`
	UpdatedAt time.Time   `json:"updated_at"`
	EndedAt   time.Time   `json:"ended_at,omitzero"`
	Rev       int64       `json:"-"` // store's count of writes; 0 means not stored yet
}

// RecoverLease is the work that a recover holds of its subscription ("" for a
// whole tenant), under its job's id.
const RecoverLease = "recover"

// JobKind says what a job does.
type JobKind string

// The kinds of jobs.
const (
	JobRecover            JobKind = "recover"             // sends deliveries again that have ended
	JobDeleteSubscription JobKind = "delete_subscription" // removes what a deleted subscription leaves behind
	JobDeleteTenant       JobKind = "delete_tenant"       // removes a tenant with everything
)

// JobStatus is how a job stands.
type JobStatus string

// The statuses of jobs.
const (
	JobRunning JobStatus = "running"
	JobDone    JobStatus = "done"
	JobStopped JobStatus = "stopped" // before its end, for the reason in Detail
)

// JobCounts is what a job has done so far. Each delivery counts once, however
// often a process died over it.
type JobCounts struct {
	Matched  int64 `json:"matched"`  // deliveries that it is about
	Sent     int64 `json:"sent"`     // of these, how many began another round
	Skipped  int64 `json:"skipped"`  // of these, how many were in the meantime something else
	Canceled int64 `json:"canceled"` // deliveries of a deleted subscription that still waited
	Removed  int64 `json:"removed"`  // stored items that a deletion removed
}

// JobTarget is one delivery that a job has decided upon.
type JobTarget struct {
	Delivery string `json:"d"`
	Round    int    `json:"r,omitempty"` // in which it was found
}

// JobSlice is the most deliveries that a job decides upon at once.
const JobSlice = 250
