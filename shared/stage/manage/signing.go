package manage

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/webhook"
)

// signing serves the secrets with which a subscription's callbacks are signed.
type signing struct {
	*Handler
	versions *versions
}

func (h *signing) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: subscriptionPath + "/secret", Roles: portal, Handle: h.get},
		{Method: post, Pattern: subscriptionPath + "/rotate-secret", Roles: portal, Handle: h.post},
	}
}

// maxSecrets is how many secrets of one subscription sign at once, the current
// one included: each adds to every callback's header.
const maxSecrets = 5

// post makes another secret the current one. The one before signs too,
// for as long as is asked for; so do older ones until their own end.
func (h *signing) post(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.OptionalJSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	asked, err := subscription.ReadRotation(body)
	if err != nil {
		return httpapi.Response{}, err
	}
	var saved webhook.Subscription
	var shown secret.String
	err = retry(r.Context(), func() error {
		now, err := h.versions.current(r.Context(), ref(r))
		if err != nil {
			return err
		}
		next, err := h.rotate(now, asked)
		if err != nil {
			return err
		}
		if saved, err = h.versions.save(r, now, next, false); err == nil {
			shown, err = h.open(saved)
		}
		return err
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	r.Note(slog.Int("secrets", len(saved.Secrets)))
	return httpapi.OK(subscription.View(saved, shown)), nil
}

// rotate returns the subscription with another current secret. One that is the
// current one already stays, so that a repeat changes nothing.
func (h *signing) rotate(now webhook.Subscription, asked subscription.Rotation) (webhook.Subscription, error) {
	at := h.now()
	kept := slices.DeleteFunc(slices.Clone(now.Secrets), func(s webhook.SigningSecret) bool {
		return !s.Expires.IsZero() && !at.Before(s.Expires)
	})
	same := -1 // of kept, the secret that is asked for
	for i, s := range kept {
		is, err := h.seals(now, s, asked.Secret)
		if err != nil {
			return now, err
		}
		if is {
			same = i
		}
	}
	next := now
	switch {
	case same == 0:
		next.Secrets = kept
	case same > 0: // signs still, and is the current one again
		again := kept[same]
		again.Expires = time.Time{}
		next.Secrets = replaced(slices.Delete(kept, same, same+1), again, at.Add(asked.Overlap))
	default:
		scheme := asked.Signing
		if scheme == "" {
			scheme = now.Signing
		}
		made, _, err := h.sign(now, asked.Secret, scheme, at)
		if err != nil {
			return now, err
		}
		next.Secrets = replaced(kept, made, at.Add(asked.Overlap))
	}
	next.Signing = next.Secrets[0].Scheme
	if asked.Overlap == 0 {
		next.Secrets = next.Secrets[:1]
	}
	return next, tooMany(next.Secrets)
}

// replaced puts a secret before those that sign, of which the first then ends.
func replaced(signing []webhook.SigningSecret, by webhook.SigningSecret, end time.Time) []webhook.SigningSecret {
	if len(signing) > 0 {
		signing[0].Expires = end
	}
	return append([]webhook.SigningSecret{by}, signing...)
}

// tooMany refuses another secret while as many sign as may.
func tooMany(signing []webhook.SigningSecret) error {
	if len(signing) <= maxSecrets {
		return nil
	}
	first := slices.MinFunc(signing[1:], func(a, b webhook.SigningSecret) int { return a.Expires.Compare(b.Expires) })
	return httpapi.SigningSecretsFull.Problem(fmt.Sprintf("%d secrets are active, which is the maximum. The next one expires at %s. An overlap of 0s ends all but the new one.",
		maxSecrets, webhook.FormatTime(first.Expires)))
}

// seals reports whether a sealed secret holds the given one, however that is written.
func (h *signing) seals(s webhook.Subscription, sealed webhook.SigningSecret, given secret.String) (bool, error) {
	if given == "" {
		return false, nil
	}
	key, err := signature.ParseSecret(given.Reveal())
	if err != nil || string(key.Scheme()) != sealed.Scheme {
		return false, nil
	}
	if sealed.Public != "" {
		return key.Public() == sealed.Public, nil
	}
	plain, err := h.unseal(s, sealed)
	return plain == given, err
}

// sign seals a signing secret, the given one or another, and returns with it
// what its owner may see: all of a shared secret, the public half of a key pair.
func (h *signing) sign(s webhook.Subscription, given secret.String, scheme string, at time.Time) (sealed webhook.SigningSecret, shown secret.String, err error) {
	if given == "" {
		made, err := signature.Generate(signature.Scheme(scheme))
		if err != nil {
			return sealed, "", fmt.Errorf("make a secret: %w", err)
		}
		given = secret.String(made)
	}
	key, err := signature.ParseSecret(given.Reveal())
	if err != nil {
		return sealed, "", fmt.Errorf("read a secret: %w", err)
	}
	text, err := h.Secrets.Seal([]byte(given.Reveal()), s.Tenant, s.ID, "signing")
	if err != nil {
		return sealed, "", fmt.Errorf("seal a secret: %w", err)
	}
	sealed = webhook.SigningSecret{Scheme: string(key.Scheme()), Sealed: text, Public: key.Public(), Created: at}
	if sealed.Public != "" {
		given = secret.String(sealed.Public)
	}
	return sealed, given, nil
}

// secretView is the current secret, and what else signs for a while.
type secretView struct {
	Secret   string         `json:"secret"`
	Previous []previousView `json:"previous,omitempty"`
}

type previousView struct {
	Signing   string       `json:"signing"`
	ExpiresAt httpapi.Time `json:"expires_at"`
}

func (h *signing) get(r *httpapi.Request) (httpapi.Response, error) {
	s, err := h.versions.current(r.Context(), ref(r))
	if err != nil {
		return httpapi.Response{}, err
	}
	shown, err := h.open(s)
	if err != nil {
		return httpapi.Response{}, err
	}
	view := secretView{Secret: shown.Reveal()}
	for _, old := range s.Secrets[1:] {
		if h.now().Before(old.Expires) {
			view.Previous = append(view.Previous, previousView{old.Scheme, httpapi.Time(old.Expires)})
		}
	}
	return httpapi.OK(view), nil
}

// open returns what may be seen of the current secret.
func (h *signing) open(s webhook.Subscription) (secret.String, error) {
	if len(s.Secrets) == 0 {
		return "", fmt.Errorf("subscription %s of %s has no secret", s.ID, s.Tenant)
	}
	if public := s.Secrets[0].Public; public != "" {
		return secret.String(public), nil
	}
	return h.unseal(s, s.Secrets[0])
}

func (h *signing) unseal(s webhook.Subscription, sealed webhook.SigningSecret) (secret.String, error) {
	plain, err := h.Secrets.Open(sealed.Sealed, s.Tenant, s.ID, "signing")
	if err != nil {
		return "", fmt.Errorf("open a secret of %s of %s: %w", s.ID, s.Tenant, err)
	}
	return secret.String(plain), nil
}
