package subscription

import (
	"reflect"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// What others set is for whom they set it. A portal key is in the hands of a
// customer, who may send a subscription anywhere: so it names only secrets that
// were made for portal keys, and what it moves elsewhere goes without what was
// not its own. The same holds at each attempt, whatever a body that was
// rendered before mentions: see delivery's secrets.

// Confine returns what is wished as a key of a role may have it in place of now, and
// the fields that it lost. Found are the secrets that the wish mentions and that
// exist.
func (w Wish) Confine(role httpapi.Role, now webhook.Subscription, mentions []Mention, found map[string]webhook.NamedSecret) (next webhook.Subscription, lost []string, err error) {
	if role == httpapi.Portal {
		return w.portals(now, mentions, found)
	}
	missing := slices.DeleteFunc(slices.Clone(mentions), func(m Mention) bool {
		_, ok := found[m.Secret]
		return ok
	})
	next = w.Subscription
	if len(missing) > 0 {
		return next, nil, Refused(missing, "there is no secret %q")
	}
	next.Portal = now.Portal && !w.Gives("url")
	return next, nil, w.vouched(now, next, mentions, found)
}

// Moves reports whether the wish sends elsewhere than now, or is new.
func (w Wish) Moves(now webhook.Subscription) bool {
	return now.Version == 0 || Reach(now) != Reach(w.Subscription)
}

// portals is what a portal key may have. Its refusals are the same for a
// secret that does not exist and for one that is not its business.
func (w Wish) portals(now webhook.Subscription, mentions []Mention, found map[string]webhook.NamedSecret) (webhook.Subscription, []string, error) {
	next, moved := w.Subscription, w.Moves(now)
	if !reflect.DeepEqual(now.Emit, next.Emit) {
		return next, nil, httpapi.Invalid(httpapi.FieldError{Field: "emit", Detail: "is for manage keys alone: it makes events of the tenant"})
	}
	if now.Pull != next.Pull {
		return next, nil, httpapi.Invalid(httpapi.FieldError{Field: "pull", Detail: "is for manage keys alone: they pull"})
	}
	if next.URL == "" && moved { // without its emit nothing would be left of it
		return next, nil, httpapi.Invalid(httpapi.FieldError{Field: "url", Detail: "required with a portal key"})
	}
	next.Portal = now.Portal || moved
	var dropped []string
	var refused []Mention
	drop := func(field string) {
		if !slices.Contains(dropped, field) {
			dropped = append(dropped, field)
			next = Without(next, field)
		}
	}
	if moved && next.Emit != nil { // what the new place answers would become events
		drop("emit")
	}
	if moved && w.Auth == nil && next.Auth != nil && !next.Auth.Portal {
		drop("auth")
	}
	// A customer's receiver would hold texts signed with a key that others trust.
	if moved && w.Signature == nil && next.Signature != nil && !next.Signature.Portal {
		drop("signature")
	}
	for _, m := range mentions {
		switch kept := w.Keeps(now, m.Field); {
		case found[m.Secret].Portal, kept && !moved:
		case kept && m.Field != "url":
			drop(m.Field)
		default:
			refused = append(refused, m)
		}
	}
	slices.Sort(dropped)
	if len(refused) > 0 {
		return next, nil, Refused(refused, "there is no secret %q that a portal key can use")
	}
	return next, dropped, nil
}

// vouched refuses to give what is not made for portal keys to whom a portal
// key chose: the url must be said again, so that it cannot be another one than
// was meant.
func (w Wish) vouched(now, next webhook.Subscription, mentions []Mention, found map[string]webhook.NamedSecret) error {
	if !next.Portal {
		return nil
	}
	given := w.Auth != nil || w.Signature != nil
	for _, m := range mentions {
		given = given || !found[m.Secret].Portal && !w.Keeps(now, m.Field)
	}
	if !given {
		return nil
	}
	return httpapi.Invalid(httpapi.FieldError{
		Field: "url", Detail: "required with secrets, auth or signature, because a portal key chose the url: repeat the url to confirm it",
	})
}
