package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/webhook"
)

func isConflict(err error) bool { return errors.Is(err, webhook.ErrConflict) }

var errNoSubscription = httpapi.SubscriptionNotFound.Problem("The subscription does not exist. GET /subscriptions lists them.")

// ref names the subscription of the path.
func ref(r *httpapi.Request) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: r.Tenant, ID: r.PathValue("id")}
}

// current reads a subscription as it is now.
func (h *Handler) current(ctx context.Context, ref webhook.SubscriptionRef) (webhook.Subscription, error) {
	if !subscription.ValidID(ref.ID) {
		return webhook.Subscription{}, errNoSubscription
	}
	heads, err := h.Store.Heads(ctx, []webhook.SubscriptionRef{ref})
	if err != nil {
		return webhook.Subscription{}, fmt.Errorf("read subscription %s: %w", ref.ID, err)
	}
	if heads[0].Version == 0 {
		return webhook.Subscription{}, errNoSubscription
	}
	subs, err := h.versions(ctx, heads)
	if err != nil {
		return webhook.Subscription{}, err
	}
	return subs[0], nil
}

func (h *Handler) versions(ctx context.Context, heads []webhook.Head) ([]webhook.Subscription, error) {
	refs := make([]webhook.VersionRef, len(heads))
	for i, head := range heads {
		refs[i] = webhook.VersionRef{Tenant: head.Tenant, ID: head.ID, Version: head.Version}
	}
	if len(refs) == 0 {
		return nil, nil
	}
	subs, err := h.Store.Versions(ctx, refs)
	if err != nil { // ours, not the caller's: what a head names exists
		return nil, fmt.Errorf("read versions: %s", err)
	}
	return subs, nil
}

func (h *Handler) getSubscription(r *httpapi.Request) (httpapi.Response, error) {
	s, err := h.current(r.Context(), ref(r))
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(subscription.View(s, "")), nil
}

func (h *Handler) listSubscriptions(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	heads, next, err := h.Store.PageHeads(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	subs, err := h.versions(r.Context(), heads)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := make([]httpapi.Encoded, len(subs))
	for i, s := range subs {
		views[i] = subscription.View(s, "")
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

func (h *Handler) createSubscription(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	wish, err := subscription.Read(body, subscription.Default(), h.Destinations)
	if err != nil {
		return httpapi.Response{}, err
	}
	if wish.ID == "" {
		wish.ID = h.newID("sub_")
	}
	response, err := h.create(r, wish)
	if errors.Is(err, webhook.ErrExists) {
		return httpapi.Response{}, httpapi.SubscriptionExists.Problem("A subscription with this id exists. Change it with PUT or PATCH, or choose another id.", httpapi.FieldError{Field: "id", Detail: "is taken"})
	}
	return response, err
}

// create stores a new subscription with its secret, which is the caller's or
// made here, and shows both.
func (h *Handler) create(r *httpapi.Request, wish subscription.Wish) (httpapi.Response, error) {
	s := wish.Subscription
	s.Tenant, s.ID, s.CreatedAt = r.Tenant, wish.ID, h.now()
	s.UpdatedAt = s.CreatedAt
	s, _, err := h.complete(r, webhook.Subscription{}, s, wish)
	if err != nil {
		return httpapi.Response{}, err
	}
	sealed, shown, err := h.sign(s, wish.Secret, s.Signing, s.CreatedAt)
	if err != nil {
		return httpapi.Response{}, err
	}
	s.Secrets = []webhook.SigningSecret{sealed}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	s.Within = h.Quota
	if err := h.reads(r, s); err != nil {
		return httpapi.Response{}, err
	}
	if s, err = h.Store.SaveSubscription(r.Context(), s, 0); err != nil {
		return httpapi.Response{}, h.refusal(fmt.Errorf("create subscription %s: %w", wish.ID, err))
	}
	noteSaved(r, s)
	location := "/v1/tenants/" + s.Tenant + "/subscriptions/" + s.ID
	r.Warn(h.advice(r, s, wish)...)
	return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: subscription.View(s, shown)}, nil
}

// advice warns of types that nobody registered, if the request has types. Not
// to know is no reason to refuse what is stored already.
func (h *Handler) advice(r *httpapi.Request, s webhook.Subscription, wish subscription.Wish) []httpapi.FieldError {
	if !wish.Gives("types") || len(s.Types) == 0 {
		return nil
	}
	types, next, err := h.Store.PageEventTypes(r.Context(), r.Tenant, webhook.Page{Limit: maxAdvice})
	if err != nil {
		h.log().Warn("read event types for advice", "tenant", r.Tenant, "error", err)
	}
	if err != nil || next != "" {
		return nil
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Type
	}
	return subscription.Advice(s, names)
}

// maxAdvice is the most registered types that advice looks through.
const maxAdvice = 250

func noteSaved(r *httpapi.Request, s webhook.Subscription) {
	r.Note(slog.String("subscription", s.ID), slog.Int64("version", s.Version), slog.String("state", string(s.State)))
}
