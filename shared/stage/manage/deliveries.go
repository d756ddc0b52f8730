package manage

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of deliveries.
const (
	deliveriesPath = tenantPath + "/deliveries"
	deliveryPath   = deliveriesPath + "/{id}"
)

// deliveries serves what became of events, and changes it by hand.
type deliveries struct {
	*Handler
	versions *versions
	plans    *plans
	retained *retained
}

func (h *deliveries) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: deliveriesPath, Roles: portal, Query: with(httpapi.TimeQuery, "subscription", "event", "source", "status", "subject"), Handle: h.list},
		{Method: get, Pattern: deliveryPath, Roles: portal, Handle: h.get},
		{Method: post, Pattern: deliveryPath + "/retry", Roles: portal, Handle: h.retry},
		{Method: post, Pattern: deliveryPath + "/cancel", Roles: portal, Handle: h.cancel},
	}
}

// statuses are what the filter status can be.
var statuses = []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Exhausted, webhook.Canceled}

// list lists by subscription and status what is stored, or, for one
// event, what was planned.
func (h *deliveries) list(r *httpapi.Request) (httpapi.Response, error) {
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
	return h.page(r, listing, deliveries, next)
}

// page is one page of deliveries.
func (h *deliveries) page(r *httpapi.Request, listing httpapi.Listing, deliveries []webhook.Delivery, next string) (httpapi.Response, error) {
	views, err := h.plans.shown(r.Context(), r.Tenant, deliveries)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

// one is one delivery without its attempts.
func (h *deliveries) one(r *httpapi.Request, d webhook.Delivery) (deliveryView, error) {
	views, err := h.plans.shown(r.Context(), r.Tenant, []webhook.Delivery{d})
	if err != nil {
		return deliveryView{}, err
	}
	return views[0], nil
}

func deliveryFilter(r *httpapi.Request) (webhook.DeliveryFilter, error) {
	filter := webhook.DeliveryFilter{Subscription: r.Query.Get("subscription"), Status: webhook.Status(r.Query.Get("status")), Subject: r.Query.Get("subject")}
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
	checkSubject(r, &faults)
	if r.Query.Has("subject") && r.Query.Has("event") {
		faults.Add("subject", "does not go with event; leave one of them out")
	}
	if r.Query.Has("source") && !r.Query.Has("event") {
		faults.Add("source", "needs event")
	}
	return filter, faults.Err()
}

// listOfEvent walks an event's plan, and then what the plan does not name. One page looks at no more of the plan than
// one read gives, so with a filter pages may be short, or empty before the end.
// An event that is not stored has no deliveries. What its replays made comes
// last, by when they were asked for.
func (h *deliveries) listOfEvent(r *httpapi.Request, listing httpapi.Listing, filter webhook.DeliveryFilter) (httpapi.Response, error) {
	page := listing.Page
	begin, after, err := planPosition(page.Position)
	if err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.Store.Event(r.Context(), r.Tenant, source(r), r.Query.Get("event"))
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.OK(listing.Next([]deliveryView{}, "")), nil
	}
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read event: %w", err)
	}
	if begin < 0 || outside(e.AcceptedAt, page) {
		return h.listBeyond(r, listing, filter, e, after)
	}
	entries, err := h.plans.from(r.Context(), e, begin)
	if err != nil {
		return httpapi.Response{}, err
	}
	wanted, looked := narrow(entries, filter.Subscription, page.Limit)
	deliveries, err := h.plans.deliveries(r.Context(), e, wanted)
	if err != nil {
		return httpapi.Response{}, err
	}
	if deliveries, _, err = h.plans.outcomes(r.Context(), e, deliveries, page.Limit); err != nil {
		return httpapi.Response{}, err
	}
	if filter.Status != "" {
		deliveries = slices.DeleteFunc(deliveries, func(d webhook.Delivery) bool { return d.Status != filter.Status })
	}
	if end := begin + looked; end < e.Plan.Total {
		return h.page(r, listing, deliveries, strconv.Itoa(end))
	}
	further, next, err := h.Store.Occasions(r.Context(), e.Tenant, e.Source, e.ID, "", 1)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read further deliveries of %s: %w", e.ID, err)
	}
	if len(further) > 0 || next != "" {
		next = beyondPlan
	}
	return h.page(r, listing, deliveries, next)
}

// beyondPlan begins the position of those deliveries of an event that its plan
// does not name, and stands before the id of the last one shown.
const beyondPlan = "o"

// listBeyond goes on with an event's further occasions, by id.
func (h *deliveries) listBeyond(r *httpapi.Request, listing httpapi.Listing, filter webhook.DeliveryFilter, e webhook.StoredEvent, after string) (httpapi.Response, error) {
	deliveries, next, err := h.Store.Occasions(r.Context(), e.Tenant, e.Source, e.ID, after, listing.Page.Limit)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read further deliveries of %s: %w", e.ID, err)
	}
	deliveries = slices.DeleteFunc(deliveries, func(d webhook.Delivery) bool {
		return filter.Status != "" && d.Status != filter.Status || filter.Subscription != "" && d.Subscription != filter.Subscription ||
			outside(d.CreatedAt, listing.Page)
	})
	if next != "" {
		next = beyondPlan + next
	}
	return h.page(r, listing, deliveries, next)
}

// maxPlan is more than any plan has entries: a cursor that names more is made up.
const maxPlan = 1 << 30

// planPosition is a cursor's position in a plan: the entries before it; or -1
// and the last delivery shown beyond the plan.
func planPosition(position string) (n int, after string, err error) {
	if position == "" {
		return 0, "", nil
	}
	if after, beyond := strings.CutPrefix(position, beyondPlan); beyond {
		if _, _, bad := webhook.ParseDeliveryID(after); after != "" && bad != nil {
			return 0, "", httpapi.BadCursor()
		}
		return -1, after, nil
	}
	if n, err = strconv.Atoi(position); err != nil || n < 0 || n > maxPlan {
		return 0, "", httpapi.BadCursor()
	}
	return n, "", nil
}

// outside reports whether a time lies outside the page's bounds.
func outside(at time.Time, page webhook.Page) bool {
	return !page.After.IsZero() && !at.After(page.After) || !page.Before.IsZero() && !at.Before(page.Before)
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

// stored reads the delivery of the path. One that was neither attempted nor
// parked yet is not stored: its id alone does not name its event.
func (h *deliveries) stored(r *httpapi.Request) (webhook.Delivery, error) {
	id := r.PathValue("id")
	err := error(webhook.ErrNotFound)
	var d webhook.Delivery
	if _, _, bad := webhook.ParseDeliveryID(id); bad == nil {
		d, err = h.Store.Delivery(r.Context(), r.Tenant, id)
	}
	if errors.Is(err, webhook.ErrNotFound) {
		return d, httpapi.DeliveryNotFound.Problem("The delivery does not exist, or its first attempt has not ended yet. GET /events/{id} lists an event's deliveries.")
	}
	return d, err
}

func (h *deliveries) get(r *httpapi.Request) (httpapi.Response, error) {
	d, err := h.ofPath(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	attempts, err := h.Store.Attempts(r.Context(), r.Tenant, d.ID)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read attempts: %w", err)
	}
	view, err := h.one(r, d)
	if err != nil {
		return httpapi.Response{}, err
	}
	if view.Request, err = h.sent(r, d); err != nil {
		return httpapi.Response{}, err
	}
	view.Attempts = viewAttempts(attempts, d.Last)
	if err := h.retained.hideAnswers(r.Context(), d, view.Attempts); err != nil {
		return httpapi.Response{}, fmt.Errorf("read event of %s: %w", d.ID, err)
	}
	return httpapi.OK(view), nil
}
