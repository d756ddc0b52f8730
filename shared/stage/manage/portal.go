package manage

import (
	"context"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/webhook"
)

// What others set is for whom they set it. A portal key is in the hands of a
// customer, who may send a subscription anywhere: so it names only secrets that
// were made for portal keys, and what it moves elsewhere goes without what was
// not its own. The same holds at each attempt, whatever a body that was
// rendered before mentions: see delivery's secrets.

// confineTo returns next as a key of a role may have it in place of now, and the
// fields that it lost. Found are the secrets that it mentions and that exist.
func confineTo(role httpapi.Role, now, next webhook.Subscription, wish subscription.Wish, mentions []subscription.Mention, found map[string]webhook.NamedSecret) (webhook.Subscription, []string, error) {
	wish.Subscription = next
	if role == httpapi.Portal {
		return portals(now, next, wish, mentions, found)
	}
	missing := slices.DeleteFunc(slices.Clone(mentions), func(m subscription.Mention) bool {
		_, ok := found[m.Secret]
		return ok
	})
	if len(missing) > 0 {
		return next, nil, subscription.Refused(missing, "there is no secret %q")
	}
	next.Portal = now.Portal && !wish.Gives("url")
	return next, nil, vouched(now, next, wish, mentions, found)
}

// portals is what a portal key may have. Its refusals are the same for a
// secret that does not exist and for one that is not its business.
func portals(now, next webhook.Subscription, wish subscription.Wish, mentions []subscription.Mention, found map[string]webhook.NamedSecret) (webhook.Subscription, []string, error) {
	moved := now.Version == 0 || subscription.Reach(now) != subscription.Reach(next)
	if err := withoutProfile(now, next, moved); err != nil {
		return next, nil, err
	}
	next.Portal = now.Portal || moved
	var dropped []string
	var refused []subscription.Mention
	drop := func(field string) {
		if !slices.Contains(dropped, field) {
			dropped = append(dropped, field)
			next = subscription.Without(next, field)
		}
	}
	if moved && wish.Auth == nil && next.Auth != nil && !next.Auth.Portal {
		drop("auth")
	}
	// A customer's receiver would hold texts signed with a key that others trust.
	if moved && wish.Signature == nil && next.Signature != nil && !next.Signature.Portal {
		drop("signature")
	}
	for _, m := range mentions {
		switch kept := wish.Keeps(now, m.Field); {
		case found[m.Secret].Portal, kept && !moved:
		case kept && m.Field != "url":
			drop(m.Field)
		default:
			refused = append(refused, m)
		}
	}
	slices.Sort(dropped)
	if len(refused) > 0 {
		return next, nil, subscription.Refused(refused, "there is no secret %q that a portal key can use")
	}
	return next, dropped, nil
}

// vouched refuses to give what is not made for portal keys to whom a portal
// key chose: the url must be said again, so that it cannot be another one than
// was meant.
func vouched(now, next webhook.Subscription, wish subscription.Wish, mentions []subscription.Mention, found map[string]webhook.NamedSecret) error {
	if !next.Portal {
		return nil
	}
	given := wish.Auth != nil || wish.Signature != nil
	for _, m := range mentions {
		given = given || !found[m.Secret].Portal && !wish.Keeps(now, m.Field)
	}
	if !given {
		return nil
	}
	return httpapi.Invalid(httpapi.FieldError{
		Field: "url", Detail: "required with secrets, auth or signature, because a portal key chose the url: repeat the url to confirm it",
	})
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
