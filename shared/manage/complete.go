package manage

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/auth"
	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/subscription"
	"github.com/postino/postino/shared/trigger"
	"github.com/postino/postino/shared/webhook"
)

// complete turns a wish into the subscription to be stored in place of now: it
// checks that the secrets it mentions exist, seals its auth, and decides
// whether its trigger begins afresh. Its tenant and id must be set.
func (h *Handler) complete(ctx context.Context, now webhook.Subscription, next webhook.Subscription, wish subscription.Wish) (webhook.Subscription, error) {
	wish.Subscription = next
	if err := h.secretsExist(ctx, next.Tenant, wish.Mentions()); err != nil {
		return next, err
	}
	if wish.Auth != nil {
		if err := refuseExpired(wish.Auth, h.now()); err != nil {
			return next, err
		}
		sealed, err := h.Secrets.Seal(wish.Auth.Encode(), next.Tenant, next.ID, "auth")
		if err != nil {
			return next, fmt.Errorf("seal auth: %w", err)
		}
		next.Auth = &webhook.SealedAuth{
			Sealed: sealed, Shown: wish.Auth.View(), Header: wish.Auth.Name(), Secrets: wish.Auth.Secrets(), TLS: wish.Auth.TLS() != nil,
		}
	}
	next.TriggerEpoch = now.TriggerEpoch
	if epoch := trigger.Epoch(now, next); epoch != now.Epoch() { // otherwise nothing has changed
		next.TriggerEpoch = epoch
	}
	return next, nil
}

// refuseExpired refuses certificates that no connection could be made with.
func refuseExpired(a *auth.Auth, now time.Time) error {
	var faults httpapi.Faults
	for _, f := range a.TLS().Expired(now) {
		faults.Add(f.Field, "%s", f.Detail)
	}
	return faults.Err()
}

// secretsExist refuses a subscription that mentions secrets which are not there.
func (h *Handler) secretsExist(ctx context.Context, tenant string, mentions []subscription.Mention) error {
	if len(mentions) == 0 {
		return nil
	}
	var names []string
	for _, m := range mentions {
		names = append(names, m.Secret)
	}
	found, err := h.Store.Secrets(ctx, tenant, names)
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	var missing []subscription.Mention
	for _, m := range mentions {
		if _, ok := found[m.Secret]; !ok {
			missing = append(missing, m)
		}
	}
	return subscription.Refused(missing)
}
