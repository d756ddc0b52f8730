package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of the prepared subscriptions that a process keeps, in bytes: a usual one
// takes 3 KB. A function has 512 MB.
const (
	maxSubscribers      = 64 << 20
	maxOwnedSubscribers = 16 << 20 // of one tenant, when others want the rest
	heavy               = 32 << 10 // a request that weighs more is not kept compiled
)

// subscriber is one version of a subscription, made ready for attempts.
type subscriber struct {
	webhook.Subscription
	request  *render.Request // nil if it is heavy; see compiled
	varies   bool            // the url differs from event to event
	auth     *auth.Auth
	schedule retry.Schedule
	policy   retry.Policy
	timeout  time.Duration
	keys     []signingKey
	trigger  func() (*trigger.Spec, error) // nil if it has neither trigger nor max_age; only what was held asks
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
	cache   *weighed.Cache[webhook.VersionRef, *subscriber]
	readers chan struct{}
}

// subscriberReaders is how many read versions at once. Whoever waits mostly finds
// what it wants read by then: many attempts for one subscription begin at once.
const subscriberReaders = 4

func newSubscribers(store Subscriptions, secrets Opener) *subscribers {
	cache := weighed.New[webhook.VersionRef, *subscriber](maxSubscribers, maxOwnedSubscribers, nil)
	return &subscribers{store, secrets, cache, make(chan struct{}, subscriberReaders)}
}

func (s *subscribers) get(ctx context.Context, ref webhook.VersionRef) (*subscriber, error) {
	if sub, ok := s.cache.Get(ref); ok {
		return sub, nil
	}
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
	s.cache.Put(ref.Tenant, ref, sub, sub.weight())
	return sub, nil
}

func (s *subscribers) prepare(sub webhook.Subscription) (*subscriber, error) {
	schedule, err1 := retry.ParseSchedule(sub.Retry.Schedule)
	timeout, err2 := retry.ParseDuration(sub.Retry.Timeout)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	request, err := compile(sub)
	if err != nil {
		return nil, err
	}
	credentials, err := s.auth(sub)
	if err != nil {
		return nil, err
	}
	p := &subscriber{
		Subscription: sub,
		request:      request,
		varies:       request.TemplatedURL(),
		auth:         credentials,
		schedule:     schedule,
		policy:       retry.Policy{Success: sub.Retry.Success, Permanent: sub.Retry.Permanent},
		timeout:      timeout,
		trigger:      sync.OnceValues(func() (*trigger.Spec, error) { return trigger.Compile(sub) }),
	}
	if request.Weight() > heavy {
		p.request = nil
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

// compile compiles a request, which was judged when it was saved.
func compile(sub webhook.Subscription) (*render.Request, error) {
	request, faults := render.Compile(sub)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Detail)
	}
	return request, nil
}

// compiled returns the request. A heavy one is compiled each time: only later
// attempts ask for it.
func (s *subscriber) compiled() (*render.Request, error) {
	if s.request != nil {
		return s.request, nil
	}
	return compile(s.Subscription)
}

// credentialsWeight is what keys and auth take at most beside their texts, in bytes.
const credentialsWeight = 2 << 10

func (s *subscriber) weight() int {
	n := s.Size() + credentialsWeight
	if s.request != nil {
		n += s.request.Weight()
	}
	if s.auth != nil {
		n += 2 * len(s.Auth.Sealed) // opened, and its certificates read
	}
	return n
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
