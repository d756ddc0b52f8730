package manage

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/cosign"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// wishes turns what is wished of a subscription into what is stored.
type wishes struct {
	*Handler
	segments  *segments
	campaigns *campaigns
}

// complete turns a wish into the subscription to be stored in place of now: it
// seals its auth, sees to it that secrets stay with those whom they were meant
// for, and decides whether its trigger begins afresh. Its tenant and id must be
// set. With it come the fields that it lost since a portal key moves it; see
// [subscription.Wish.Confine].
func (h *wishes) complete(r *httpapi.Request, now, next webhook.Subscription, wish subscription.Wish) (webhook.Subscription, []string, error) {
	if err := h.sealAuth(r, &next, wish.Auth); err != nil {
		return next, nil, err
	}
	if err := h.sealSignature(r, &next, wish.Signature); err != nil {
		return next, nil, err
	}
	if err := h.segments.knownSegments(r, next); err != nil {
		return next, nil, err
	}
	if err := h.campaigns.known(r, now, next); err != nil {
		return next, nil, err
	}
	if err := h.endless(r, next); err != nil {
		return next, nil, err
	}
	wish.Subscription = next
	mentions := wish.Mentions()
	found, err := h.mentioned(r.Context(), next.Tenant, mentions)
	if err != nil {
		return next, nil, fmt.Errorf("read secrets: %w", err)
	}
	if r.Principal.Role == httpapi.Portal {
		if err := withoutProfile(now, next, wish.Moves(now)); err != nil {
			return next, nil, err
		}
	}
	next, dropped, err := wish.Confine(r.Principal.Role, now, mentions, found)
	if err != nil {
		return next, nil, err
	}
	next.TriggerEpoch = now.TriggerEpoch
	if epoch := trigger.Epoch(now, next); epoch != now.Epoch() { // otherwise nothing has changed
		next.TriggerEpoch = epoch
	}
	return next, dropped, nil
}

// sealAuth puts the auth that was given into next; nil leaves what is there.
func (h *wishes) sealAuth(r *httpapi.Request, next *webhook.Subscription, given *auth.Auth) error {
	if given == nil {
		return nil
	}
	if err := refuseExpired(given, h.now()); err != nil {
		return err
	}
	sealed, err := h.Secrets.Seal(given.Encode(), next.Tenant, next.ID, "auth")
	if err != nil {
		return fmt.Errorf("seal auth: %w", err)
	}
	next.Auth = &webhook.SealedAuth{
		Sealed: sealed, Shown: given.View(), Header: given.Name(), Secrets: given.Secrets(), TLS: given.TLS() != nil,
		Reach: given.Reach(), Portal: r.Principal.Role == httpapi.Portal,
	}
	return nil
}

// sealSignature puts the further signatures that were given into next; nil leaves
// what is there.
func (h *wishes) sealSignature(r *httpapi.Request, next *webhook.Subscription, given *cosign.List) error {
	if given == nil {
		return nil
	}
	sealed, err := h.Secrets.Seal(given.Encode(), next.Tenant, next.ID, "signature")
	if err != nil {
		return fmt.Errorf("seal signatures: %w", err)
	}
	next.Signature = &webhook.SealedSignature{
		Sealed: sealed, Shown: given.View(), Headers: given.Headers(), Form: given.NeedsForm(), Secrets: given.Secrets(),
		Portal: r.Principal.Role == httpapi.Portal,
	}
	return nil
}

// refuseExpired refuses certificates that no connection could be made with.
func refuseExpired(a *auth.Auth, now time.Time) error {
	var faults httpapi.Faults
	for _, f := range a.TLS().Expired(now) {
		faults.Add(f.Field, "%s", f.Detail)
	}
	return faults.Err()
}

// mentioned reads the secrets that are mentioned; those that do not exist are
// absent.
func (h *wishes) mentioned(ctx context.Context, tenant string, mentions []subscription.Mention) (map[string]webhook.NamedSecret, error) {
	if len(mentions) == 0 {
		return nil, nil
	}
	names := make([]string, len(mentions))
	for i, m := range mentions {
		names[i] = m.Secret
	}
	return h.Store.Secrets(ctx, tenant, names)
}
