package manage

import (
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// deliveryView is a delivery as the API shows it.
type deliveryView struct {
	ID            string              `json:"id"`
	Event         string              `json:"event"`
	Source        string              `json:"source"` // of the event
	Type          string              `json:"type"`   // of the event
	Subscription  string              `json:"subscription"`
	URL           *string             `json:"url"`    // of the subscription as it is now, as it is written there
	Replay        *string             `json:"replay"` // of the event that it belongs to; null for its first sending
	Status        webhook.Status      `json:"status"`
	Waiting       *webhook.Waiting    `json:"waiting"`
	Reason        *webhook.Reason     `json:"reason"`
	Detail        *string             `json:"detail"` // the reason in words; null if it says it all
	NextAttemptAt httpapi.Time        `json:"next_attempt_at"`
	CreatedAt     httpapi.Time        `json:"created_at"`
	EndedAt       httpapi.Time        `json:"ended_at"`
	AttemptCount  int                 `json:"attempt_count"`
	StatusCode    *int                `json:"status_code"`       // of the newest attempt
	Error         *webhook.ErrorClass `json:"error"`             // of the newest attempt
	Attempts      []attemptView       `json:"attempts,omitzero"` // of one delivery only; nil in lists
	Request       *requestView        `json:"request,omitempty"` // of one delivery only; see sent
}

// attemptView is an attempt as the API shows it.
type attemptView struct {
	Number     int                 `json:"number"`
	Manual     bool                `json:"manual"`
	StartedAt  httpapi.Time        `json:"started_at"`
	DurationMS int64               `json:"duration_ms"`
	StatusCode *int                `json:"status_code"`
	Error      *webhook.ErrorClass `json:"error"`
	Detail     *string             `json:"detail"`
	Response   *webhook.Response   `json:"response"`
}

func viewDelivery(d webhook.Delivery) deliveryView {
	v := deliveryView{
		ID: d.ID, Event: d.EventID, Source: d.EventSource, Type: d.EventType, Subscription: d.Subscription, Replay: orNull(d.Occasion), Status: d.Status, Waiting: orNull(d.Waiting), Reason: orNull(d.Reason), Detail: orNull(d.Detail),
		NextAttemptAt: httpapi.Time(d.NextAt), CreatedAt: httpapi.Time(d.CreatedAt), EndedAt: httpapi.Time(d.EndedAt), AttemptCount: d.Attempts,
	}
	if d.Last != nil {
		v.StatusCode, v.Error = orNull(d.Last.StatusCode), orNull(d.Last.Error)
	}
	return v
}

func viewDeliveries(deliveries []webhook.Delivery) []deliveryView {
	views := make([]deliveryView, len(deliveries))
	for i, d := range deliveries {
		views[i] = viewDelivery(d)
	}
	return views
}

func viewAttempt(a webhook.Attempt) attemptView {
	return attemptView{
		Number: a.Number, Manual: a.Manual, StartedAt: httpapi.Time(a.StartedAt), DurationMS: a.DurationMS,
		StatusCode: orNull(a.StatusCode), Error: orNull(a.Error), Detail: orNull(a.Detail), Response: a.Response,
	}
}

// viewAttempts shows the stored attempts, and the newest if it stands in its
// delivery alone.
func viewAttempts(attempts []webhook.Attempt, newest *webhook.Attempt) []attemptView {
	views := make([]attemptView, 0, len(attempts)+1)
	for _, a := range attempts {
		views = append(views, viewAttempt(a))
	}
	if newest != nil && !slices.ContainsFunc(attempts, func(a webhook.Attempt) bool { return a.Number == newest.Number }) {
		views = append(views, viewAttempt(*newest))
	}
	return views
}
