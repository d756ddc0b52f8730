package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postino/postino/shared/auth"
	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/retry"
	"github.com/postino/postino/shared/signature"
	"github.com/postino/postino/shared/webhook"
)

// cachedSubscribers bounds the prepared subscriptions that a process keeps.
const cachedSubscribers = 20_000

// subscriber is one version of a subscription, made ready for attempts.
type subscriber struct {
	webhook.Subscription
	request  *render.Request
	auth     *auth.Auth
	schedule retry.Schedule
	policy   retry.Policy
	timeout  time.Duration
	keys     []signingKey
}

type signingKey struct {
	signature.Key
	expires time.Time // zero means never
}

func (s *subscriber) ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: s.Tenant, ID: s.ID}
}

// active returns the keys that sign at a time.
func (s *subscriber) active(at time.Time) []signature.Key {
	keys := make([]signature.Key, 0, len(s.keys))
	for _, k := range s.keys {
		if k.expires.IsZero() || at.Before(k.expires) {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// subscribers prepares subscription versions and keeps them: what a version
// names never changes.
type subscribers struct {
	store   Subscriptions
	secrets Opener
	cache   *lru.Cache[webhook.VersionRef, *subscriber]
}

func newSubscribers(store Subscriptions, secrets Opener) *subscribers {
	cache, err := lru.New[webhook.VersionRef, *subscriber](cachedSubscribers)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &subscribers{store, secrets, cache}
}

func (s *subscribers) get(ctx context.Context, ref webhook.VersionRef) (*subscriber, error) {
	if sub, ok := s.cache.Get(ref); ok {
		return sub, nil
	}
	read, err := s.store.Versions(ctx, []webhook.VersionRef{ref})
	if err != nil {
		return nil, fmt.Errorf("read subscription %s of %s: %w", ref.ID, ref.Tenant, err)
	}
	sub, err := s.prepare(read[0])
	if err != nil {
		return nil, fmt.Errorf("prepare subscription %s of %s: %w", ref.ID, ref.Tenant, err)
	}
	s.cache.Add(ref, sub)
	return sub, nil
}

func (s *subscribers) prepare(sub webhook.Subscription) (*subscriber, error) {
	schedule, err1 := retry.ParseSchedule(sub.Retry.Schedule)
	timeout, err2 := retry.ParseDuration(sub.Retry.Timeout)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	request, faults := render.Compile(sub)
	if len(faults) > 0 { // it was judged when it was saved
		return nil, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Detail)
	}
	credentials, err := s.auth(sub)
	if err != nil {
		return nil, err
	}
	p := &subscriber{
		Subscription: sub,
		request:      request,
		auth:         credentials,
		schedule:     schedule,
		policy:       retry.Policy{Success: sub.Retry.Success, Permanent: sub.Retry.Permanent},
		timeout:      timeout,
	}
	for _, sealed := range sub.Secrets {
		plain, err := s.secrets.Open(sealed.Sealed, sub.Tenant, sub.ID, "signing")
		if err != nil {
			return nil, err
		}
		key, err := signature.ParseSecret(string(plain))
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, signingKey{key, sealed.Expires})
	}
	return p, nil
}

func (s *subscribers) auth(sub webhook.Subscription) (*auth.Auth, error) {
	if sub.Auth == nil {
		return nil, nil
	}
	plain, err := s.secrets.Open(sub.Auth.Sealed, sub.Tenant, sub.ID, "auth")
	if err != nil {
		return nil, err
	}
	return auth.Decode(plain)
}
