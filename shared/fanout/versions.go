package fanout

import (
	"context"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postino/postino/shared/webhook"
)

// cachedVersions bounds the subscription versions that a process keeps: about
// 2 KB each.
const cachedVersions = 20_000

// versions reads subscription versions. They are immutable, so what is cached
// is never stale.
type versions struct {
	store Subscriptions
	cache *lru.Cache[webhook.VersionRef, webhook.Subscription]
}

func newVersions(store Subscriptions) *versions {
	cache, err := lru.New[webhook.VersionRef, webhook.Subscription](cachedVersions)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &versions{store, cache}
}

// get returns the planned versions. Those that retention has removed since
// are left out: their subscriptions are long gone.
func (v *versions) get(ctx context.Context, tenant string, entries []webhook.PlanEntry) ([]webhook.Subscription, error) {
	subs := make([]webhook.Subscription, len(entries))
	var missing []webhook.VersionRef
	var places []int
	for i, e := range entries {
		ref := webhook.VersionRef{Tenant: tenant, ID: e.Subscription, Version: e.Version}
		s, ok := v.cache.Get(ref)
		if !ok {
			missing, places = append(missing, ref), append(places, i)
		}
		subs[i] = s
	}
	read, err := v.read(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, s := range read {
		subs[places[i]] = s
	}
	kept := subs[:0]
	for _, s := range subs {
		if s.Version != 0 {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// read fetches versions from the store; one that does not exist comes back as
// the zero Subscription.
func (v *versions) read(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	subs, err := v.store.Versions(ctx, refs)
	if errors.Is(err, webhook.ErrNotFound) {
		if len(refs) == 1 {
			return []webhook.Subscription{{}}, nil
		}
		return v.readHalves(ctx, refs)
	}
	for i, s := range subs {
		v.cache.Add(refs[i], s)
	}
	return subs, err
}

// readHalves finds the missing one by halving.
func (v *versions) readHalves(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	half := len(refs) / 2
	left, err := v.read(ctx, refs[:half])
	if err != nil {
		return nil, err
	}
	right, err := v.read(ctx, refs[half:])
	return append(left, right...), err
}
