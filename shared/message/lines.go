package message

import "github.com/postino/postino/shared/webhook"

// Drain asks for the next slice of a waiting line to be released.
type Drain struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Lease        string `json:"lease,omitempty"` // that the slice before holds; "" begins a drain
}

// AuditLine asks whether a waiting line was forgotten.
type AuditLine struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
}

// Probe asks for one probe of an open breaker.
type Probe struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Opening      string `json:"opening"` // names the time that the breaker has been open since
	Number       int    `json:"number"`  // of the probe, from 0
}

// EndLeases asks to end the leases of pulled deliveries whose time is over.
type EndLeases struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
}

func (d Drain) Encode() []byte     { return encodeJSON("drain", d) }
func (a AuditLine) Encode() []byte { return encodeJSON("audit_line", a) }
func (p Probe) Encode() []byte     { return encodeJSON("probe", p) }
func (e EndLeases) Encode() []byte { return encodeJSON("end_leases", e) }

func (d Drain) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}
}

func (a AuditLine) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: a.Tenant, ID: a.Subscription}
}

func (p Probe) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: p.Tenant, ID: p.Subscription}
}

func (e EndLeases) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: e.Tenant, ID: e.Subscription}
}
