package message

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// First asks for a delivery's first attempt. It carries the request rendered
// with Version; if that is still the subscription's, nothing need be read.
type First struct {
	Tenant       string
	ID           string
	Event        string
	Source       string
	Accepted     time.Time
	Subscription string
	Version      int64
	Occasion     string
	Count        int
	Target       webhook.Target
	Method       string
	ContentType  string
	Inserts      []webhook.Insert // into the body
	Body         string
}

// Encode writes the request for a first attempt as a message body.
func (f First) Encode() []byte {
	b := make([]byte, 1, 320+len(f.Body)+len(f.Target.URL.Plain))
	b[0] = byte(KindFirst)
	for _, text := range []string{f.Tenant, f.ID, f.Event, f.Source, f.Subscription, f.Occasion, f.Method, f.ContentType, f.Target.URL.Plain} {
		b = appendText(b, text)
	}
	b = appendTime(b, f.Accepted)
	b = binary.AppendVarint(binary.AppendVarint(b, f.Version), int64(f.Count))
	b = appendJSON(b, f.Inserts, len(f.Inserts) == 0)
	b = appendJSON(b, f.Target.URL.Inserts, len(f.Target.URL.Inserts) == 0)
	b = appendJSON(b, f.Target.Headers, len(f.Target.Headers) == 0)
	return append(b, f.Body...)
}

// DecodeFirst reads what [First.Encode] wrote.
func DecodeFirst(body []byte) (f First, err error) {
	if KindOf(body) != KindFirst {
		return f, ErrMalformed
	}
	r := fields{rest: body[1:]}
	for _, text := range []*string{&f.Tenant, &f.ID, &f.Event, &f.Source, &f.Subscription, &f.Occasion, &f.Method, &f.ContentType, &f.Target.URL.Plain} {
		*text = r.text()
	}
	f.Accepted = r.time()
	f.Version, f.Count = r.number(), int(r.number())
	r.json(&f.Inserts)
	r.json(&f.Target.URL.Inserts)
	r.json(&f.Target.Headers)
	f.Body = string(r.rest)
	return f, r.err
}

// Content is the part of the request that stays for all attempts.
func (f First) Content() webhook.Content {
	return webhook.Content{Method: f.Method, ContentType: f.ContentType, Body: webhook.Text{Plain: f.Body, Inserts: f.Inserts}}
}

// Again asks for something to be done with a delivery, or a waiting line, that
// is already stored. All of it is JSON that a person can read and move about.
type Again struct {
	Kind         AgainKind `json:"kind"`
	Tenant       string    `json:"tenant"`
	Delivery     string    `json:"delivery,omitempty"`
	Subscription string    `json:"subscription"` // always: its state is read before anything else
	Round        int       `json:"round"`
	Step         int       `json:"step,omitempty"`
	Token        string    `json:"token,omitempty"` // tells one manual retry, or one drain, from the next
	Event        string    `json:"event,omitempty"` // to be expunged
	Source       string    `json:"source,omitempty"`
	Position     string    `json:"position,omitempty"` // see expunge.Slice
	Job          string    `json:"job,omitempty"`      // of AgainJob and AgainJobAudit, whose Step is the number of the slice
}

// AgainKind says what is to be done.
type AgainKind string

// What can be asked for, and the queues that carry it.
const (
	AgainRetry  AgainKind = "retry"  // retries: the attempt (Round, Step) of the schedule
	AgainRound  AgainKind = "round"  // exhausted, resend: a new round, if it is still exhausted in Round
	AgainManual AgainKind = "manual" // resend: one attempt beside the schedule
	AgainDrain  AgainKind = "drain"  // resend: the next slice of a waiting line
	AgainAudit  AgainKind = "audit"  // resend: look whether a waiting line was forgotten
	AgainProbe  AgainKind = "probe"  // resend: the probe Round of the breaker that opened at Token

	AgainExpunge  AgainKind = "expunge"   // resend: remove what is left of an event in the deliveries that it led to
	AgainJob      AgainKind = "job"       // resend: the next slice of a job
	AgainJobAudit AgainKind = "job_audit" // resend: look whether a job was forgotten
)

// Encode writes the request as a message body.
func (a Again) Encode() []byte { return mustJSON(a) }

// DecodeAgain reads what [Again.Encode] wrote.
func DecodeAgain(body []byte) (a Again, err error) {
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return a, nil
}

// NextSlice asks for the slice of a job that it will do next.
func NextSlice(j webhook.Job) Again {
	return Again{Kind: AgainJob, Tenant: j.Tenant, Subscription: j.Subscription, Job: j.ID, Step: j.Slice}
}

// AuditJob is the due pointer that has a job looked at in case that its next
// slice was never asked for.
func AuditJob(j webhook.Job, at time.Time) webhook.Due {
	return webhook.Due{At: at, Kind: webhook.DueJob, Tenant: j.Tenant, Subscription: j.Subscription, ID: j.ID, Step: j.Slice}
}

// AuditOf returns the message that [AuditJob] made a pointer to.
func AuditOf(due webhook.Due) Again {
	return Again{Kind: AgainJobAudit, Tenant: due.Tenant, Subscription: due.Subscription, Job: due.ID, Step: due.Step}
}
