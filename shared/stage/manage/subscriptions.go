package manage

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of subscriptions.
const (
	subscriptionsPath = tenantPath + "/subscriptions"
	subscriptionPath  = subscriptionsPath + "/{id}"
)

// subscriptions serves subscriptions.
type subscriptions struct {
	*Handler
	versions *versions
	wishes   *wishes
	signing  *signing
	jobs     *jobs
}

func (h *subscriptions) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: subscriptionsPath, Roles: portal, Handle: h.post},
		{Method: get, Pattern: subscriptionsPath, Roles: portal, Query: httpapi.PageQuery, Handle: h.list},
		{Method: post, Pattern: subscriptionsPath + "/import", Roles: manage, Handle: h.bring},
		{Method: get, Pattern: subscriptionPath, Roles: portal, Handle: h.get},
		{Method: put, Pattern: subscriptionPath, Roles: portal, Handle: h.put},
		{Method: patch, Pattern: subscriptionPath, Roles: portal, Handle: h.patch},
		{Method: del, Pattern: subscriptionPath, Roles: portal, Handle: h.delete},
		{Method: post, Pattern: subscriptionPath + "/pause", Roles: portal, Handle: h.pause},
		{Method: post, Pattern: subscriptionPath + "/resume", Roles: portal, Handle: h.resume},
	}
}

func isConflict(err error) bool { return errors.Is(err, webhook.ErrConflict) }

var errNoSubscription = httpapi.SubscriptionNotFound.Problem("The subscription does not exist. GET /subscriptions lists them.")

// ref names the subscription of the path.
func ref(r *httpapi.Request) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: r.Tenant, ID: r.PathValue("id")}
}

func (h *subscriptions) get(r *httpapi.Request) (httpapi.Response, error) {
	s, err := h.versions.current(r.Context(), ref(r))
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(subscription.View(s, "")), nil
}

func (h *subscriptions) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	heads, next, err := h.Store.PageHeads(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	subs, err := h.versions.of(r.Context(), heads)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := make([]httpapi.Encoded, len(subs))
	for i, s := range subs {
		views[i] = subscription.View(s, "")
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

func (h *subscriptions) post(r *httpapi.Request) (httpapi.Response, error) {
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
func (h *subscriptions) create(r *httpapi.Request, wish subscription.Wish) (httpapi.Response, error) {
	s := wish.Subscription
	s.Tenant, s.ID, s.CreatedAt = r.Tenant, wish.ID, h.now()
	s.UpdatedAt = s.CreatedAt
	s, _, err := h.wishes.complete(r, webhook.Subscription{}, s, wish)
	if err != nil {
		return httpapi.Response{}, err
	}
	sealed, shown, err := h.signing.sign(s, wish.Secret, s.Signing, s.CreatedAt)
	if err != nil {
		return httpapi.Response{}, err
	}
	s.Secrets = []webhook.SigningSecret{sealed}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	s.Within = h.Quota
	if err := h.versions.reads(r, s); err != nil {
		return httpapi.Response{}, err
	}
	if s, err = h.Store.SaveSubscription(r.Context(), s, 0); err != nil {
		return httpapi.Response{}, h.versions.refusal(fmt.Errorf("create subscription %s: %w", wish.ID, err))
	}
	noteSaved(r, s)
	location := "/v1/tenants/" + s.Tenant + "/subscriptions/" + s.ID
	r.Warn(h.advice(r, s, wish)...)
	return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: subscription.View(s, shown)}, nil
}

// advice warns of types that nobody registered, if the request has types. Not
// to know is no reason to refuse what is stored already.
func (h *subscriptions) advice(r *httpapi.Request, s webhook.Subscription, wish subscription.Wish) []httpapi.FieldError {
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
