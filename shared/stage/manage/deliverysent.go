package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/webhook"
)

// sent is the request of a delivery, stars for its secrets: the body that every
// attempt has, and where the subscription as it is now has it go. It is null if
// nothing is left of it, if nothing can be sent, and for a portal key if the
// subscription reads profiles.
func (h *deliveries) sent(r *httpapi.Request, d webhook.Delivery) (*requestView, error) {
	if h.retained.payloadExpired(d.EndedAt) {
		return nil, nil
	}
	head, err := h.versions.head(r, d.Subscription)
	if err != nil {
		return nil, err
	}
	ref := webhook.VersionRef{Tenant: d.Tenant, ID: d.Subscription, Version: cmp.Or(head.Version, d.Version)}
	if head.Born > d.Version {
		ref.Version = d.Version // another one had this id
	}
	p, t, err := h.made(r.Context(), d, ref)
	var skip *render.Skip
	if errors.As(err, &skip) || errors.Is(err, webhook.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("make the request of %s: %w", d.ID, err)
	}
	if _, templates := subscription.ReadsProfile(p.Subscription); !p.Subscription.Calls() || templates && r.Principal.Role == httpapi.Portal {
		return nil, nil
	}
	view := redacted(p.Subscription, t)
	addOurs(view.Headers, d)
	return view, nil
}

// made makes what a delivery sends by a version of its subscription.
func (h *deliveries) made(ctx context.Context, d webhook.Delivery, ref webhook.VersionRef) (p sendable.Prepared, t webhook.Trial, err error) {
	make := sendable.Maker{Store: h.Store, Prepare: sendable.Preparing(h.Store, nil)}
	if p, err = make.Prepare(ctx, ref); err != nil {
		return p, t, err
	}
	e, err := make.Event(ctx, d)
	if err != nil {
		return p, t, err
	}
	if t.Content, err = make.Content(ctx, d, ref.Version); err != nil {
		return p, t, err
	}
	t.Target, err = p.Request.Target(e, p.Subscription, sendable.Occasion(d))
	return p, t, err
}

// addOurs adds the headers that Postino sets itself; see courier. The time is that
// of the newest attempt.
func addOurs(headers map[string]string, d webhook.Delivery) {
	if headers["idempotency-key"] == "" {
		headers["idempotency-key"] = d.ID
	}
	headers["webhook-id"] = d.ID
	headers["webhook-signature"] = render.Stars
	headers["postino-event-id"] = render.HeaderText(d.EventID)
	if d.Last != nil {
		headers["webhook-timestamp"] = strconv.FormatInt(d.Last.StartedAt.Unix(), 10)
		headers["postino-attempt"] = strconv.Itoa(d.Last.Number)
	}
}

// shown are deliveries as lists show them, each with its subscription's url as it
// is now: null if there is none.
func (h *plans) shown(ctx context.Context, tenant string, deliveries []webhook.Delivery) ([]deliveryView, error) {
	views := viewDeliveries(deliveries)
	refs, seen := []webhook.SubscriptionRef{}, map[string]string{}
	for _, d := range deliveries {
		if _, again := seen[d.Subscription]; !again && subscription.ValidID(d.Subscription) {
			seen[d.Subscription] = ""
			refs = append(refs, webhook.SubscriptionRef{Tenant: tenant, ID: d.Subscription})
		}
	}
	if len(refs) == 0 {
		return views, nil
	}
	heads, err := h.Store.Heads(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	var now []webhook.VersionRef
	for _, head := range heads {
		if head.Version > 0 {
			now = append(now, webhook.VersionRef{Tenant: head.Tenant, ID: head.ID, Version: head.Version})
		}
	}
	if len(now) > 0 {
		subs, err := h.Store.Versions(ctx, now)
		if err != nil {
			return nil, fmt.Errorf("read versions: %s", err)
		}
		for _, s := range subs {
			seen[s.ID] = s.URL
		}
	}
	for i := range views {
		views[i].URL = orNull(seen[views[i].Subscription])
	}
	return views, nil
}
