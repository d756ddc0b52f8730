package manage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/secret"
	"github.com/postino/postino/shared/signature"
	"github.com/postino/postino/shared/subscription"
	"github.com/postino/postino/shared/webhook"
)

func isConflict(err error) bool { return errors.Is(err, webhook.ErrConflict) }

var errNoSubscription = httpapi.NotFound("There is no such subscription.")

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
		wish.ID = "sub_" + strings.ToLower(ulid.MustNew(ulid.Timestamp(h.now()), rand.Reader).String())
	}
	response, err := h.create(r, wish)
	if errors.Is(err, webhook.ErrExists) {
		return httpapi.Response{}, httpapi.Conflict("There is a subscription with this id.", httpapi.FieldError{Field: "id", Detail: "is taken"})
	}
	return response, err
}

// create stores a new subscription with its secret, which is the caller's or
// made here, and shows both.
func (h *Handler) create(r *httpapi.Request, wish subscription.Wish) (httpapi.Response, error) {
	s := wish.Subscription
	s.Tenant, s.ID, s.CreatedAt = r.Tenant, wish.ID, h.now()
	s.UpdatedAt = s.CreatedAt
	shown := wish.Secret
	if shown == "" {
		made, err := signature.Generate(signature.Scheme(s.Signing))
		if err != nil {
			return httpapi.Response{}, fmt.Errorf("make a secret: %w", err)
		}
		shown = secret.String(made)
	}
	sealed, err := h.Secrets.Seal([]byte(shown.Reveal()), s.Tenant, s.ID, "signing")
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("seal a secret: %w", err)
	}
	s.Secrets = []webhook.SigningSecret{{Scheme: s.Signing, Sealed: sealed, Created: s.CreatedAt}}
	if err := h.Store.EnsureTenant(r.Context(), s.Tenant); err != nil {
		return httpapi.Response{}, err
	}
	if s, err = h.Store.SaveSubscription(r.Context(), s, 0); err != nil {
		return httpapi.Response{}, fmt.Errorf("create subscription %s: %w", s.ID, err)
	}
	noteSaved(r, s)
	location := "/v1/tenants/" + s.Tenant + "/subscriptions/" + s.ID
	return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: subscription.View(s, shown)}, nil
}

func noteSaved(r *httpapi.Request, s webhook.Subscription) {
	r.Note(slog.String("subscription", s.ID), slog.Int64("version", s.Version), slog.String("state", string(s.State)))
}

// putSubscription replaces every field of an existing subscription, its state
// too, and creates it if there is none. Its secret stays.
func (h *Handler) putSubscription(r *httpapi.Request) (httpapi.Response, error) {
	if id := r.PathValue("id"); !subscription.ValidID(id) {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "id", Detail: subscription.IDSyntax})
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	wish, err := subscription.Read(body, subscription.Default(), h.Destinations)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := sameID(r, &wish); err != nil {
		return httpapi.Response{}, err
	}
	var response httpapi.Response
	err = retry(r.Context(), func() (err error) {
		response, err = h.put(r, wish)
		return err
	})
	return response, err
}

// put is one try. Whoever creates or deletes it meanwhile makes it a conflict.
func (h *Handler) put(r *httpapi.Request, wish subscription.Wish) (httpapi.Response, error) {
	now, err := h.current(r.Context(), ref(r))
	if err == error(errNoSubscription) {
		response, err := h.create(r, wish)
		if errors.Is(err, webhook.ErrExists) {
			err = webhook.ErrConflict
		}
		return response, err
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.sameSecret(now, wish); err != nil {
		return httpapi.Response{}, err
	}
	next := wish.Subscription
	next.Tenant, next.ID, next.Born, next.Secrets, next.CreatedAt = now.Tenant, now.ID, now.Born, now.Secrets, now.CreatedAt
	saved, err := h.save(r, now, next, true)
	if errors.Is(err, webhook.ErrNotFound) {
		err = webhook.ErrConflict
	}
	return httpapi.OK(subscription.View(saved, "")), err
}

// sameID refuses an id in the body that is not the path's.
func sameID(r *httpapi.Request, wish *subscription.Wish) error {
	id := r.PathValue("id")
	if wish.ID != "" && wish.ID != id {
		return httpapi.Invalid(httpapi.FieldError{Field: "id", Detail: "is not the id of the path"})
	}
	wish.ID = id
	return nil
}

// sameSecret refuses to replace a secret beside other fields: that needs a time
// in which both sign. The current one may be repeated.
func (h *Handler) sameSecret(now webhook.Subscription, wish subscription.Wish) error {
	if wish.Secret == "" {
		return nil
	}
	shown, err := h.open(now)
	if err != nil {
		return err
	}
	if shown != wish.Secret {
		return httpapi.Invalid(httpapi.FieldError{Field: "secret", Detail: "can only be chosen when the subscription is created"})
	}
	return nil
}

// patchSubscription changes what is given. It meets concurrent changes by
// applying itself to their result.
func (h *Handler) patchSubscription(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.change(r, func(now webhook.Subscription) (subscription.Wish, error) {
		wish, err := subscription.Read(body, now, h.Destinations)
		if err == nil {
			err = sameID(r, &wish)
		}
		if err == nil {
			err = h.sameSecret(now, wish)
		}
		return wish, err
	})
}

// pause makes matching events wait, from the next attempt on.
func (h *Handler) pause(r *httpapi.Request) (httpapi.Response, error) {
	return h.set(r, webhook.Paused)
}

// resume lets what waits go, at a controlled rate, and enables what we disabled.
func (h *Handler) resume(r *httpapi.Request) (httpapi.Response, error) {
	return h.set(r, webhook.Active)
}

func (h *Handler) set(r *httpapi.Request, state webhook.State) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	return h.change(r, func(now webhook.Subscription) (subscription.Wish, error) {
		now.State, now.DisabledReason = state, ""
		return subscription.Wish{Subscription: now, Given: []string{"state"}}, nil
	})
}

// change reads, applies and saves until nobody comes between.
func (h *Handler) change(r *httpapi.Request, apply func(now webhook.Subscription) (subscription.Wish, error)) (httpapi.Response, error) {
	var saved webhook.Subscription
	err := retry(r.Context(), func() error {
		now, err := h.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		wish, err := apply(now)
		if err != nil {
			return err
		}
		saved, err = h.save(r, now, wish.Subscription, wish.Gives("state"))
		return err
	})
	return httpapi.OK(subscription.View(saved, "")), err
}

// save stores next if it differs from now, and wakes the waiting line if it may
// go. Whoever states that the subscription is active has the line looked at,
// changed or not: the one before may have been stopped between the two.
func (h *Handler) save(r *httpapi.Request, now, next webhook.Subscription, stated bool) (webhook.Subscription, error) {
	next.UpdatedAt = now.UpdatedAt
	if !reflect.DeepEqual(now, next) {
		next.UpdatedAt = h.now()
		var err error
		if next, err = h.Store.SaveSubscription(r.Context(), next, now.Version); err != nil {
			return next, fmt.Errorf("save subscription %s: %w", now.ID, err)
		}
	}
	noteSaved(r, next)
	if next.State == webhook.Active && stated {
		return next, h.drain(r.Context(), next.Tenant, next.ID)
	}
	return next, nil
}

// drain has the waiting line looked at.
func (h *Handler) drain(ctx context.Context, tenant, id string) error {
	again := message.Again{Kind: message.AgainDrain, Tenant: tenant, Subscription: id}
	return h.resend(ctx, again)
}

// resend queues what is asked for by hand.
func (h *Handler) resend(ctx context.Context, again message.Again) error {
	m := queue.Message{Group: message.SubscriptionGroup(again.Tenant, again.Subscription), Body: again.Encode()}
	if err := h.Resend.Send(ctx, []queue.Message{m}); err != nil {
		return httpapi.Busy("This could not be queued. Ask again.", time.Second).Because(fmt.Errorf("resend %s: %w", again.Kind, err))
	}
	return nil
}

// deleteSubscription removes the subscription; what waits for it is canceled.
func (h *Handler) deleteSubscription(r *httpapi.Request) (httpapi.Response, error) {
	err := retry(r.Context(), func() error {
		now, err := h.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		return h.Store.DeleteSubscription(r.Context(), ref(r), now.Version)
	})
	if errors.Is(err, webhook.ErrNotFound) {
		err = errNoSubscription
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	r.Note(slog.String("subscription", ref(r).ID))
	return httpapi.NoContent(), h.drain(r.Context(), r.Tenant, ref(r).ID)
}

type secretView struct {
	Secret string `json:"secret"`
}

func (h *Handler) getSecret(r *httpapi.Request) (httpapi.Response, error) {
	s, err := h.current(r.Context(), ref(r))
	if err != nil {
		return httpapi.Response{}, err
	}
	shown, err := h.open(s)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(secretView{shown.Reveal()}), nil
}

// open unseals the newest secret.
func (h *Handler) open(s webhook.Subscription) (secret.String, error) {
	if len(s.Secrets) == 0 {
		return "", fmt.Errorf("subscription %s of %s has no secret", s.ID, s.Tenant)
	}
	plain, err := h.Secrets.Open(s.Secrets[0].Sealed, s.Tenant, s.ID, "signing")
	if err != nil {
		return "", fmt.Errorf("open the secret of %s of %s: %w", s.ID, s.Tenant, err)
	}
	return secret.String(plain), nil
}
