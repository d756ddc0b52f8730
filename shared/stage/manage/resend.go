package manage

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// retry asks for one attempt now, beside the schedule. Each request is
// one attempt: a repeat is another.
func (h *deliveries) retry(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.stored(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.retained.payloadIsThere(r.Context(), d); err != nil {
		return httpapi.Response{}, err
	}
	head, err := h.versions.head(r, d.Subscription)
	if err != nil {
		return httpapi.Response{}, err
	}
	if head.Version == 0 || head.Born > d.Version {
		return httpapi.Response{}, httpapi.SubscriptionDeleted.Problem("The delivery's subscription was deleted, so the delivery has no destination.")
	}
	if err := h.canBeSent(r.Context(), d, head.Version); err != nil {
		return httpapi.Response{}, err
	}
	asked := message.AttemptByHand{Tenant: d.Tenant, Subscription: d.Subscription, Delivery: d.ID}
	if err := h.resend(r.Context(), asked, 0); err != nil {
		return httpapi.Response{}, err
	}
	noteDelivery(r, d)
	view, err := h.one(r, d)
	return httpapi.Response{Status: http.StatusAccepted, Body: view}, err
}

// canBeSent is a 409 for a delivery of which the current version of its
// subscription makes no request.
func (h *deliveries) canBeSent(ctx context.Context, d webhook.Delivery, current int64) error {
	make := sendable.Maker{Store: h.Store, Prepare: sendable.Preparing(h.Store, h.Secrets)}
	skip, err := make.Check(ctx, d, current)
	if err != nil || skip == nil {
		return err
	}
	return httpapi.CannotBeSent.Problem(fmt.Sprintf("There is nothing to send: %s: %s. Fix the subscription, then retry.", skip.Reason, skip.Detail))
}

func noteDelivery(r *httpapi.Request, d webhook.Delivery) {
	r.Note(slog.String("delivery", d.ID), slog.String("subscription", d.Subscription))
}

// cancel ends a delivery that is pending. An attempt that is under way
// may still arrive.
func (h *deliveries) cancel(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	var d webhook.Delivery
	life := lifecycle.Executor{Store: h.Store, Counter: h.Counter, Leave: h.leaveLine}
	err := retry(r.Context(), func() (err error) {
		if d, err = h.ofPath(r); err != nil {
			return err
		}
		if d.Status != webhook.Pending {
			return httpapi.DeliveryEnded.Problem(fmt.Sprintf("This delivery has ended: it is %s.", d.Status))
		}
		d, err = life.Apply(r.Context(), lifecycle.Cancel(d, webhook.ReasonManual, "", h.now()))
		return err
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	noteDelivery(r, d)
	view, err := h.one(r, d)
	return httpapi.OK(view), err
}

// leaveLine takes a delivery that has ended out of its waiting line. If that
// fails, a drain passes over it.
func (h *deliveries) leaveLine(ctx context.Context, d webhook.Delivery) error {
	if err := h.Store.LeaveLine(ctx, webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}, []string{d.ID}); err != nil {
		h.log().Warn("leave line", "delivery", d.ID, "cause", err)
	}
	return nil
}
