package courier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/cosign"
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

// Subscriber is one version of a subscription, made ready for attempts.
type Subscriber struct {
	webhook.Subscription
	Schedule retry.Schedule
	Spec     func() (*trigger.Spec, error) // of trigger and max_age; nil for neither. It is compiled when first asked for

	request *render.Request // nil if it is heavy; see Compiled
	varies  bool            // the url differs from event to event
	auth    *auth.Auth
	cosigns *cosign.List // further signatures
	policy  retry.Policy
	timeout time.Duration
	keys    []signingKey
}

type signingKey struct {
	signature.Key
	expires time.Time // zero means never
}

// Ref names the subscription.
func (s *Subscriber) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: s.Tenant, ID: s.ID}
}

// active returns the keys that sign at a time.
func (s *Subscriber) active(at time.Time) []signature.Key {
	keys := make([]signature.Key, 0, len(s.keys))
	for _, k := range s.keys {
		if k.expires.IsZero() || at.Before(k.expires) {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// Versions is where versions of subscriptions are read.
type Versions interface {
	// Versions: see fanout's Subscriptions.
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
}

// Subscribers prepares subscription versions and keeps them: what a version
// names never changes.
type Subscribers struct {
	store   Versions
	secrets Opener
	cache   *weighed.Cache[webhook.VersionRef, *Subscriber]
	readers chan struct{}
}

// subscriberReaders is how many read versions at once. Whoever waits mostly finds
// what it wants read by then: many attempts for one subscription begin at once.
const subscriberReaders = 4

// NewSubscribers returns those of a store, of which none is kept yet.
func NewSubscribers(store Versions, secrets Opener) *Subscribers {
	cache := weighed.New[webhook.VersionRef, *Subscriber](maxSubscribers, maxOwnedSubscribers, nil)
	return &Subscribers{store, secrets, cache, make(chan struct{}, subscriberReaders)}
}

// Get returns a version, or [webhook.ErrNotFound].
func (s *Subscribers) Get(ctx context.Context, ref webhook.VersionRef) (*Subscriber, error) {
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
	sub, err := Prepare(read[0], s.secrets)
	if err != nil {
		return nil, fmt.Errorf("prepare subscription %s of %s: %w", ref.ID, ref.Tenant, err)
	}
	s.cache.Put(ref.Tenant, ref, sub, sub.weight())
	return sub, nil
}

// Prepare makes a version ready, with its secrets opened.
func Prepare(sub webhook.Subscription, secrets Opener) (*Subscriber, error) {
	schedule, err1 := retry.ParseSchedule(sub.Retry.Schedule)
	timeout, err2 := retry.ParseDuration(sub.Retry.Timeout)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	request, err := compile(sub)
	if err != nil {
		return nil, err
	}
	credentials, err := openAuth(sub, secrets)
	if err != nil {
		return nil, err
	}
	cosigns, err := openSignature(sub, secrets)
	if err != nil {
		return nil, err
	}
	p := &Subscriber{
		Subscription: sub,
		request:      request,
		varies:       request.TemplatedURL(),
		auth:         credentials,
		cosigns:      cosigns,
		Schedule:     schedule,
		policy:       retry.Policy{Success: sub.Retry.Success, Permanent: sub.Retry.Permanent},
		timeout:      timeout,
		Spec:         sync.OnceValues(func() (*trigger.Spec, error) { return trigger.Compile(sub) }),
	}
	if request.Weight() > heavy {
		p.request = nil
	}
	for _, sealed := range sub.Secrets {
		plain, err := secrets.Open(sealed.Sealed, sub.Tenant, sub.ID, "signing")
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

// Compiled returns the request. A heavy one is compiled each time: only later
// attempts ask for it.
func (s *Subscriber) Compiled() (*render.Request, error) {
	if s.request != nil {
		return s.request, nil
	}
	return compile(s.Subscription)
}

// AuthSecrets are the names of the secrets that the auth and the further
// signatures mention.
func (s *Subscriber) AuthSecrets() []string { return append(s.auth.Secrets(), s.cosigns.Secrets()...) }

// credentialsWeight is what keys and auth take at most beside their texts, in bytes.
const credentialsWeight = 2 << 10

func (s *Subscriber) weight() int {
	n := s.Size() + credentialsWeight
	if s.request != nil {
		n += s.request.Weight()
	}
	if s.auth != nil {
		n += 2 * len(s.Auth.Sealed) // opened, and its certificates read
	}
	return n
}

func openSignature(sub webhook.Subscription, secrets Opener) (*cosign.List, error) {
	if sub.Signature == nil {
		return nil, nil
	}
	plain, err := secrets.Open(sub.Signature.Sealed, sub.Tenant, sub.ID, "signature")
	if err != nil {
		return nil, err
	}
	return cosign.Decode(plain)
}

func openAuth(sub webhook.Subscription, secrets Opener) (*auth.Auth, error) {
	if sub.Auth == nil {
		return nil, nil
	}
	plain, err := secrets.Open(sub.Auth.Sealed, sub.Tenant, sub.ID, "auth")
	if err != nil {
		return nil, err
	}
	return auth.Decode(plain)
}
