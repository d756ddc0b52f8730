package manage

import (
	"errors"
	"log/slog"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// put replaces every field of an existing subscription, its state
// too, and creates it if there is none. Its secret stays.
func (h *subscriptions) put(r *httpapi.Request) (httpapi.Response, error) {
	if id := r.PathValue("id"); !subscription.ValidID(id) {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "id", Detail: subscription.IDSyntax})
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	var response httpapi.Response
	err = retry(r.Context(), func() (err error) {
		response, err = h.replace(r, body)
		return err
	})
	return response, err
}

// replace is one try. Whoever creates or deletes it meanwhile makes it a conflict.
func (h *subscriptions) replace(r *httpapi.Request, body strictjson.Value) (httpapi.Response, error) {
	now, err := h.versions.current(r.Context(), ref(r))
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
	next, dropped, err := h.wishes.complete(r, now, next, wish)
	if err != nil {
		return httpapi.Response{}, err
	}
	saved, err := h.versions.save(r, now, next, true)
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
func (h *subscriptions) sameSecret(now webhook.Subscription, wish *subscription.Wish) error {
	const how = "is changed by rotate-secret"
	var faults httpapi.Faults
	if wish.Signing != "" && wish.Signing != now.Signing {
		faults.Add("signing", how)
	}
	if wish.Secret != "" && len(now.Secrets) > 0 {
		same, err := h.signing.seals(now, now.Secrets[0], wish.Secret)
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

// patch changes what is given. It meets concurrent changes by
// applying itself to their result.
func (h *subscriptions) patch(r *httpapi.Request) (httpapi.Response, error) {
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
func (h *subscriptions) pause(r *httpapi.Request) (httpapi.Response, error) {
	return h.set(r, webhook.Paused)
}

// resume lets what waits go, at a controlled rate, and enables what we disabled.
func (h *subscriptions) resume(r *httpapi.Request) (httpapi.Response, error) {
	return h.set(r, webhook.Active)
}

func (h *subscriptions) set(r *httpapi.Request, state webhook.State) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	return h.change(r, func(now webhook.Subscription) (subscription.Wish, error) {
		now.State, now.DisabledReason = state, ""
		return subscription.Wish{Subscription: now, Given: []string{"state"}}, nil
	})
}

// change reads, applies and saves until nobody comes between.
func (h *subscriptions) change(r *httpapi.Request, apply func(now webhook.Subscription) (subscription.Wish, error)) (httpapi.Response, error) {
	var saved webhook.Subscription
	var dropped []string
	var wish subscription.Wish
	err := retry(r.Context(), func() error {
		now, err := h.versions.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		if wish, err = apply(now); err != nil {
			return err
		}
		var next webhook.Subscription
		if next, dropped, err = h.wishes.complete(r, now, wish.Subscription, wish); err != nil {
			return err
		}
		saved, err = h.versions.save(r, now, next, wish.Gives("state"))
		return err
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	r.Warn(h.advice(r, saved, wish)...)
	return httpapi.OK(subscription.View(saved, "", dropped...)), nil
}

// delete removes the subscription. The rest is a job, which is
// stored before: should we die in between, it removes the subscription too.
func (h *subscriptions) delete(r *httpapi.Request) (httpapi.Response, error) {
	var j webhook.Job
	err := retry(r.Context(), func() error {
		now, err := h.versions.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		if j.Born != now.Born {
			j = h.jobs.begin(webhook.JobDeleteSubscription)
			j.Tenant, j.Subscription, j.Born = now.Tenant, now.ID, now.Born
			if err := h.jobs.store(r, j); err != nil {
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
	h.jobs.startSlice(r, j)
	return httpapi.NoContent(), nil
}
