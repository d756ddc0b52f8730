package manage

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/subscription"
	"github.com/postino/postino/shared/webhook"
)

// deliveryView is a delivery as the API shows it.
type deliveryView struct {
	ID            string           `json:"id"`
	Event         string           `json:"event"`
	Source        string           `json:"source"` // of the event
	Subscription  string           `json:"subscription"`
	Status        webhook.Status   `json:"status"`
	Waiting       *webhook.Waiting `json:"waiting"`
	Reason        *webhook.Reason  `json:"reason"`
	NextAttemptAt httpapi.Time     `json:"next_attempt_at"`
	CreatedAt     httpapi.Time     `json:"created_at"`
	EndedAt       httpapi.Time     `json:"ended_at"`
	AttemptCount  int              `json:"attempt_count"`
	Attempts      []attemptView    `json:"attempts,omitzero"` // of one delivery only; nil in lists
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
	return deliveryView{
		ID: d.ID, Event: d.EventID, Source: d.EventSource, Subscription: d.Subscription, Status: d.Status, Waiting: orNull(d.Waiting), Reason: orNull(d.Reason),
		NextAttemptAt: httpapi.Time(d.NextAt), CreatedAt: httpapi.Time(d.CreatedAt), EndedAt: httpapi.Time(d.EndedAt), AttemptCount: d.Attempts,
	}
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

// statuses are what the filter status can be.
var statuses = []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Exhausted, webhook.Canceled}

// listDeliveries lists by subscription and status what is stored, or, for one
// event, what was planned.
func (h *Handler) listDeliveries(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	filter, err := deliveryFilter(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if r.Query.Has("event") {
		return h.listOfEvent(r, listing, filter)
	}
	deliveries, next, err := h.Store.PageDeliveries(r.Context(), r.Tenant, filter, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	return httpapi.OK(listing.Next(viewDeliveries(deliveries), next)), nil
}

func deliveryFilter(r *httpapi.Request) (webhook.DeliveryFilter, error) {
	filter := webhook.DeliveryFilter{Subscription: r.Query.Get("subscription"), Status: webhook.Status(r.Query.Get("status"))}
	var faults httpapi.Faults
	if r.Query.Has("subscription") && !subscription.ValidID(filter.Subscription) {
		faults.Add("subscription", subscription.IDSyntax)
	}
	if r.Query.Has("status") && !slices.Contains(statuses, filter.Status) {
		faults.Add("status", "want pending, succeeded, exhausted or canceled")
	}
	if r.Query.Has("event") && r.Query.Get("event") == "" {
		faults.Add("event", "want an event's id")
	}
	if r.Query.Has("source") && !r.Query.Has("event") {
		faults.Add("source", "only goes with event")
	}
	return filter, faults.Err()
}

// listOfEvent walks an event's plan. One page looks at no more of the plan than
// one read gives, so with a filter pages may be short, or empty before the end.
// An event that is not stored has no deliveries.
func (h *Handler) listOfEvent(r *httpapi.Request, listing httpapi.Listing, filter webhook.DeliveryFilter) (httpapi.Response, error) {
	page := listing.Page
	begin := 0
	if page.Position != "" {
		var err error
		if begin, err = strconv.Atoi(page.Position); err != nil || begin < 0 {
			return httpapi.Response{}, httpapi.BadCursor()
		}
	}
	e, err := h.Store.Event(r.Context(), r.Tenant, source(r), r.Query.Get("event"))
	if errors.Is(err, webhook.ErrNotFound) || err == nil && outside(e.AcceptedAt, page) {
		return httpapi.OK(listing.Next([]deliveryView{}, "")), nil
	}
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read event: %w", err)
	}
	entries, err := h.planFrom(r.Context(), e, begin)
	if err != nil {
		return httpapi.Response{}, err
	}
	wanted, looked := narrow(entries, filter.Subscription, page.Limit)
	deliveries, err := h.planned(r.Context(), e, wanted)
	if err != nil {
		return httpapi.Response{}, err
	}
	if filter.Status != "" {
		deliveries = slices.DeleteFunc(deliveries, func(d webhook.Delivery) bool { return d.Status != filter.Status })
	}
	next := ""
	if end := begin + looked; end < e.Plan.Total {
		next = strconv.Itoa(end)
	}
	return httpapi.OK(listing.Next(viewDeliveries(deliveries), next)), nil
}

// outside reports whether an acceptance lies outside the page's bounds.
func outside(accepted time.Time, page webhook.Page) bool {
	return !page.After.IsZero() && !accepted.After(page.After) || !page.Before.IsZero() && !accepted.Before(page.Before)
}

// narrow returns up to limit entries of one subscription ("" for any), and how
// many it looked at.
func narrow(entries []webhook.PlanEntry, subscription string, limit int) (wanted []webhook.PlanEntry, looked int) {
	for _, entry := range entries {
		if len(wanted) == limit {
			break
		}
		looked++
		if subscription == "" || entry.Subscription == subscription {
			wanted = append(wanted, entry)
		}
	}
	return wanted, looked
}

// delivery reads the delivery of the path. One that was neither attempted nor
// parked yet is not stored: its id alone does not name its event.
func (h *Handler) delivery(r *httpapi.Request) (webhook.Delivery, error) {
	id := r.PathValue("id")
	err := error(webhook.ErrNotFound)
	var d webhook.Delivery
	if _, _, bad := webhook.ParseDeliveryID(id); bad == nil {
		d, err = h.Store.Delivery(r.Context(), r.Tenant, id)
	}
	if errors.Is(err, webhook.ErrNotFound) {
		return d, httpapi.NotFound("There is no such delivery, or nothing has happened to it yet. Its event lists it.")
	}
	return d, err
}

func (h *Handler) getDelivery(r *httpapi.Request) (httpapi.Response, error) {
	d, err := h.delivery(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	attempts, err := h.Store.Attempts(r.Context(), r.Tenant, d.ID)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read attempts: %w", err)
	}
	view := viewDelivery(d)
	view.Attempts = viewAttempts(attempts, d.Last)
	return httpapi.OK(view), nil
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

// retryDelivery asks for one attempt now, beside the schedule. Each request is
// one attempt: a repeat is another.
func (h *Handler) retryDelivery(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.delivery(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	switch head, err := h.head(r, d.Subscription); {
	case err != nil:
		return httpapi.Response{}, err
	case head.Version == 0 || head.Born > d.Version:
		return httpapi.Response{}, httpapi.Conflict("The subscription of this delivery was deleted.")
	}
	again := message.Again{
		Kind: message.AgainManual, Tenant: d.Tenant, Delivery: d.ID, Subscription: d.Subscription, Round: d.Round, Token: rand.Text(),
	}
	if err := h.resend(r.Context(), again); err != nil {
		return httpapi.Response{}, err
	}
	noteDelivery(r, d)
	return httpapi.Response{Status: http.StatusAccepted, Body: viewDelivery(d)}, nil
}

func noteDelivery(r *httpapi.Request, d webhook.Delivery) {
	r.Note(slog.String("delivery", d.ID), slog.String("subscription", d.Subscription))
}

func (h *Handler) head(r *httpapi.Request, id string) (webhook.Head, error) {
	heads, err := h.Store.Heads(r.Context(), []webhook.SubscriptionRef{{Tenant: r.Tenant, ID: id}})
	if err != nil {
		return webhook.Head{}, fmt.Errorf("read subscription %s: %w", id, err)
	}
	return heads[0], nil
}

// cancelDelivery ends a delivery that is pending. An attempt that is under way
// may still arrive.
func (h *Handler) cancelDelivery(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	var d webhook.Delivery
	err := retry(r.Context(), func() (err error) {
		if d, err = h.delivery(r); err != nil {
			return err
		}
		if d.Status != webhook.Pending {
			return httpapi.Conflict(fmt.Sprintf("This delivery has ended: it is %s.", d.Status))
		}
		d.Status, d.Reason, d.Waiting = webhook.Canceled, webhook.ReasonManual, ""
		d.NextAt, d.WaitingSince, d.EndedAt = time.Time{}, time.Time{}, h.now()
		return h.Store.SaveDelivery(r.Context(), d, webhook.Parts{})
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	sub := webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}
	if err := h.Store.LeaveLine(r.Context(), sub, []string{d.ID}); err != nil {
		h.log().Warn("leave line", "delivery", d.ID, "cause", err) // a drain passes over what has ended
	}
	noteDelivery(r, d)
	return httpapi.OK(viewDelivery(d)), nil
}
