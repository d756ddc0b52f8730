package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

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
	var response httpapi.Response
	err = retry(r.Context(), func() (err error) {
		response, err = h.put(r, body)
		return err
	})
	return response, err
}

// put is one try. Whoever creates or deletes it meanwhile makes it a conflict.
func (h *Handler) put(r *httpapi.Request, body strictjson.Value) (httpapi.Response, error) {
	now, err := h.current(r.Context(), ref(r))
	isNew := err == error(errNoSubscription)
	if err != nil && !isNew {
		return httpapi.Response{}, err
	}
	wish, err := subscription.Replace(body, now, h.Destinations)
	if err == nil {
		err = sameID(r, &wish)
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	if isNew {
		response, err := h.create(r, wish)
		if errors.Is(err, webhook.ErrExists) {
			err = webhook.ErrConflict
		}
		return response, err
	}
	if err := h.sameSecret(now, &wish); err != nil {
		return httpapi.Response{}, err
	}
	next := wish.Subscription
	next.Tenant, next.ID, next.Born, next.Secrets, next.CreatedAt = now.Tenant, now.ID, now.Born, now.Secrets, now.CreatedAt
	next, dropped, err := h.complete(r, now, next, wish)
	if err != nil {
		return httpapi.Response{}, err
	}
	saved, err := h.save(r, now, next, true)
	if errors.Is(err, webhook.ErrNotFound) {
		err = webhook.ErrConflict
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	r.Warn(h.advice(r, saved, wish)...)
	return httpapi.OK(subscription.View(saved, "", dropped...)), nil
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

// sameSecret refuses to replace a secret, or how it signs, beside other fields:
// that needs a time in which both sign. The current one may be repeated. It
// leaves the wish signing as now.
func (h *Handler) sameSecret(now webhook.Subscription, wish *subscription.Wish) error {
	const how = "is changed by rotate-secret"
	var faults httpapi.Faults
	if wish.Signing != "" && wish.Signing != now.Signing {
		faults.Add("signing", how)
	}
	if wish.Secret != "" && len(now.Secrets) > 0 {
		same, err := h.seals(now, now.Secrets[0], wish.Secret)
		if err != nil {
			return err
		}
		if !same {
			faults.Add("secret", how)
		}
	}
	wish.Subscription.Signing = now.Signing
	return faults.Err()
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
			err = h.sameSecret(now, &wish)
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
	var dropped []string
	var wish subscription.Wish
	err := retry(r.Context(), func() error {
		now, err := h.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		if wish, err = apply(now); err != nil {
			return err
		}
		var next webhook.Subscription
		if next, dropped, err = h.complete(r, now, wish.Subscription, wish); err != nil {
			return err
		}
		saved, err = h.save(r, now, next, wish.Gives("state"))
		return err
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	r.Warn(h.advice(r, saved, wish)...)
	return httpapi.OK(subscription.View(saved, "", dropped...)), nil
}

// save stores next if it differs from now, and wakes the waiting line if it may
// go. Whoever states that the subscription is active has the line looked at,
// and its recovery told of, changed or not: the one before may have been
// stopped between the two.
func (h *Handler) save(r *httpapi.Request, now, next webhook.Subscription, stated bool) (webhook.Subscription, error) {
	next.Version, next.UpdatedAt, next.DisabledAt = now.Version, now.UpdatedAt, now.DisabledAt
	waits, err := h.closeBreaker(r.Context(), now, stated && next.State == webhook.Active)
	if err != nil {
		return next, err
	}
	if !reflect.DeepEqual(now, next) {
		next.UpdatedAt = h.now()
		if now.State == webhook.Active {
			next.DisabledAt = time.Time{}
		}
		next.Within = h.Quota
		if err := h.reads(r, next); err != nil {
			return next, err
		}
		if next, err = h.Store.SaveSubscription(r.Context(), next, now.Version); err != nil {
			return next, h.refusal(fmt.Errorf("save subscription %s: %w", now.ID, err))
		}
	}
	noteSaved(r, next)
	if next.State == webhook.Active && stated {
		if err := h.announceRecovered(r.Context(), next); err != nil {
			return next, err
		}
	}
	if next.State == webhook.Active && (stated || waits) {
		return next, h.resend(r.Context(), message.Drain{Tenant: next.Tenant, Subscription: next.ID}, 0)
	}
	return next, nil
}

// resend queues what is asked for by hand.
func (h *Handler) resend(ctx context.Context, asked message.Task, delay time.Duration) error {
	if err := h.Resend.Send(ctx, []queue.Message{message.Queued(asked, delay)}); err != nil {
		return httpapi.NotQueued.Problem("The message could not be queued. Send the request again.").After(time.Second).Because(fmt.Errorf("resend %T: %w", asked, err))
	}
	return nil
}

// deleteSubscription removes the subscription. The rest is a job, which is
// stored before: should we die in between, it removes the subscription too.
func (h *Handler) deleteSubscription(r *httpapi.Request) (httpapi.Response, error) {
	var j webhook.Job
	err := retry(r.Context(), func() error {
		now, err := h.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		if j.Born != now.Born {
			j = h.newJob(webhook.JobDeleteSubscription)
			j.Tenant, j.Subscription, j.Born = now.Tenant, now.ID, now.Born
			if err := h.storeJob(r, j); err != nil {
				return err
			}
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
	h.startSlice(r, j)
	return httpapi.NoContent(), nil
}
