package message

import "github.com/postino/postino/shared/webhook"

// Attempt asks for one attempt of a delivery's schedule, if it still waits for
// exactly that one.
type Attempt struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Delivery     string `json:"delivery"`
	Round        int    `json:"round"`
	Step         int    `json:"step"`
	SecondTurn   bool   `json:"second_turn,omitempty"` // it missed its turn under a rate limit once: this one is good whenever it comes
}

// NextAttempt asks for the attempt that the delivery waits for.
func NextAttempt(d webhook.Delivery) Attempt {
	return Attempt{Tenant: d.Tenant, Subscription: d.Subscription, Delivery: d.ID, Round: d.Round, Step: d.Step}
}

// AttemptByHand asks for one attempt beside the schedule.
type AttemptByHand struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Delivery     string `json:"delivery"`
}

// NewRound asks for the schedule to begin afresh, if the delivery is still
// exhausted in Round. It is what the queue of exhausted deliveries holds.
type NewRound struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
	Delivery     string `json:"delivery"`
	Round        int    `json:"round"`
}

func (a Attempt) Encode() []byte       { return encodeJSON("attempt", a) }
func (a AttemptByHand) Encode() []byte { return encodeJSON("attempt_by_hand", a) }
func (r NewRound) Encode() []byte      { return encodeJSON("new_round", r) }

func (a Attempt) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: a.Tenant, ID: a.Subscription}
}

func (a AttemptByHand) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: a.Tenant, ID: a.Subscription}
}

func (r NewRound) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: r.Tenant, ID: r.Subscription}
}
