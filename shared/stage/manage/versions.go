package manage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// versions is subscriptions as they are stored, as versions under a head, and
// what follows when another is stored.
type versions struct{ *Handler }

// Subscriptions keeps subscriptions as immutable versions under a head.
type Subscriptions interface {
	// SaveSubscription stores s as a new version in one transaction with its
	// head, the change log and the tenant's version, if the current version
	// is still expect. It returns s with Version set, and with Born set when
	// it creates. Expect 0 creates: [webhook.ErrExists] if there is one.
	// Otherwise [webhook.ErrNotFound] or [webhook.ErrConflict].
	SaveSubscription(ctx context.Context, s webhook.Subscription, expect int64) (webhook.Subscription, error)
	// DeleteSubscription removes the head in one transaction with the change
	// log and the tenant's version, if the current version is still expect;
	// errors as SaveSubscription. Versions stay until retention removes them.
	DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error
	// SaveHealth: see delivery's Conditions. Manage only closes a breaker.
	SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error
	// Line: see delivery's Conditions.
	Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error)
	// Heads, Versions: see fanout's Subscriptions.
	Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error)
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
	// PageHeads returns one page of heads by id, consistently, and the
	// position of the next; "" means the end.
	PageHeads(ctx context.Context, tenant string, page webhook.Page) (heads []webhook.Head, next string, err error)
}

// current reads a subscription as it is now.
func (h *versions) current(ctx context.Context, ref webhook.SubscriptionRef) (webhook.Subscription, error) {
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
	subs, err := h.of(ctx, heads)
	if err != nil {
		return webhook.Subscription{}, err
	}
	return subs[0], nil
}

func (h *versions) of(ctx context.Context, heads []webhook.Head) ([]webhook.Subscription, error) {
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

func (h *versions) head(r *httpapi.Request, id string) (webhook.Head, error) {
	heads, err := h.Store.Heads(r.Context(), []webhook.SubscriptionRef{{Tenant: r.Tenant, ID: id}})
	if err != nil {
		return webhook.Head{}, fmt.Errorf("read subscription %s: %w", id, err)
	}
	return heads[0], nil
}

// save stores next if it differs from now, and wakes the waiting line if it may
// go. Whoever states that the subscription is active has the line looked at,
// and its recovery told of, changed or not: the one before may have been
// stopped between the two.
func (h *versions) save(r *httpapi.Request, now, next webhook.Subscription, stated bool) (webhook.Subscription, error) {
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

// closeBreaker reports whether the subscription's breaker is open: what waits
// for it is to be sent once a new version begins afresh. If its owner wants it
// active, changed or not, the breaker closes at once.
func (h *versions) closeBreaker(ctx context.Context, now webhook.Subscription, wanted bool) (open bool, err error) {
	heads, err := h.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: now.Tenant, ID: now.ID}})
	if err != nil {
		return false, fmt.Errorf("read subscription %s: %w", now.ID, err)
	}
	health := heads[0].Health
	if !health.Breaker.Open() || heads[0].Version != now.Version {
		return false, nil
	}
	if !wanted {
		return true, nil
	}
	health.Breaker = webhook.Breaker{}
	err = h.Store.SaveHealth(ctx, webhook.VersionRef{Tenant: now.Tenant, ID: now.ID, Version: now.Version}, health)
	return true, err
}

// recoveredLately is the time within which a repeated request makes up for one
// that opened a subscription and had no time to tell of it. It must be shorter
// than an event is kept, or what was told would be news again.
const recoveredLately = 24 * time.Hour

// announceRecovered publishes that a subscription which we had disabled is
// active again. A repeat publishes the same event again, which fan-out drops.
func (h *versions) announceRecovered(ctx context.Context, s webhook.Subscription) error {
	if s.DisabledAt.IsZero() || h.Events == nil || h.now().Sub(s.UpdatedAt) > recoveredLately {
		return nil
	}
	messages := operational.Subscription(operational.SubscriptionRecovered, s, h.now())
	if err := h.Events.Send(ctx, messages); err != nil {
		return httpapi.NotQueued.Problem("The operational event could not be queued. Send the request again.").After(time.Second).Because(fmt.Errorf("publish operational event: %w", err))
	}
	return nil
}

// refusal makes a problem of what the tenant's quota does not allow, and leaves
// other errors.
func (h *versions) refusal(err error) error {
	switch {
	case errors.Is(err, webhook.ErrTooMany):
		return httpapi.SubscriptionsFull.Problem(fmt.Sprintf("The tenant has the maximum number of subscriptions: %d. Delete one first.", h.Quota.Subscriptions))
	case errors.Is(err, webhook.ErrTooHeavy):
		return httpapi.FiltersFull.Problem(
			fmt.Sprintf("The tenant's filters would take more than %d bytes of memory together.", h.Quota.Filters),
			httpapi.FieldError{Field: "filter", Detail: "use fewer values, or prefixes instead of many values, here or in the tenant's other filters"})
	}
	return err
}

// reads lets fan-out know that a subscription's templates or quiet hours read profiles.
func (h *versions) reads(r *httpapi.Request, s webhook.Subscription) error {
	if _, templates := subscription.ReadsProfile(s); !templates && !subscription.QuietReadsProfile(s) {
		return nil
	}
	state, err := h.Store.TenantState(r.Context(), s.Tenant)
	if err == nil && state.People == 0 {
		err = h.Store.PeopleChanged(r.Context(), s.Tenant)
	}
	if err != nil {
		return fmt.Errorf("announce that profiles are read: %w", err)
	}
	return nil
}
