package message

import "github.com/postino/postino/shared/webhook"

// JobSlice asks for one slice of a job. Subscription is "" if the job is about
// all of the tenant's.
type JobSlice struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription,omitempty"`
	Job          string `json:"job"`
	Slice        int    `json:"slice"` // one that is behind the job asks for nothing
}

// AuditJob asks whether a job was forgotten; its fields are those of [JobSlice].
type AuditJob JobSlice

// NextSlice asks for the slice of a job that it will do next.
func NextSlice(j webhook.Job) JobSlice {
	return JobSlice{Tenant: j.Tenant, Subscription: j.Subscription, Job: j.ID, Slice: j.Slice}
}

// Expunge asks for what is left of an expunged event in its deliveries to be
// removed.
type Expunge struct {
	Tenant   string `json:"tenant"`
	Source   string `json:"source"`
	Event    string `json:"event"`
	Position string `json:"position,omitempty"` // where to go on; see expunge.Slice
}

func (s JobSlice) Encode() []byte { return encodeJSON("job_slice", s) }
func (a AuditJob) Encode() []byte { return encodeJSON("audit_job", a) }
func (e Expunge) Encode() []byte  { return encodeJSON("expunge", e) }

func (s JobSlice) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: s.Tenant, ID: s.Subscription}
}

func (a AuditJob) Ref() webhook.SubscriptionRef { return JobSlice(a).Ref() }

// Ref names the tenant alone.
func (e Expunge) Ref() webhook.SubscriptionRef { return webhook.SubscriptionRef{Tenant: e.Tenant} }
