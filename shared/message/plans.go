package message

import "time"

// PlanPage asks for one page of an event's plan to be carried out.
type PlanPage struct {
	Tenant     string    `json:"tenant"`
	Source     string    `json:"source"`
	Event      string    `json:"event"`
	Key        string    `json:"key"` // of the plan's pages
	Page       int       `json:"page"`
	Replay     string    `json:"replay,omitempty"`      // whose plan it is; "" for the event's own
	At         time.Time `json:"at,omitzero"`           // when the replay was asked for
	Order      uint32    `json:"order,omitempty"`       // of the event
	NoTriggers bool      `json:"no_triggers,omitempty"` // those of an array are asked in order, elsewhere
	Fresh      bool      `json:"fresh,omitempty"`       // it is the first that asks for the page, as far as we know
}

// Replay asks for a stored event to be sent again to those whom it matches
// when the message is handled.
type Replay struct {
	At           time.Time `json:"at"` // when it was asked for; of several requests that name one replay, any
	ID           string    `json:"id"` // names this replay; part of the identity of what it sends
	Tenant       string    `json:"tenant"`
	Source       string    `json:"source"`
	Event        string    `json:"event"`
	Subscription string    `json:"subscription,omitempty"` // the only one to receive it; "" for all
}

// Fire says that the delay of a trigger's start is over: its timer is to be
// looked at.
type Fire struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Epoch        int64  `json:"epoch"`
	Key          string `json:"key"`  // hash
	Mark         string `json:"mark"` // the part of the state that tells of the start
}

func (p PlanPage) Encode() []byte { return encodeJSON("plan_page", p) }
func (r Replay) Encode() []byte   { return encodeJSON("replay", r) }
func (f Fire) Encode() []byte     { return encodeJSON("fire", f) }
