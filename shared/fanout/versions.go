package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/trigger"
	"github.com/postino/postino/shared/webhook"
)

// cachedVersions bounds the subscription versions that a process keeps: about
// 2 KB each.
const cachedVersions = 20_000

// subscriber is one version of a subscription with its request and trigger,
// compiled.
type subscriber struct {
	webhook.Subscription
	request *render.Request
	trigger *trigger.Spec // nil if every match leads to a delivery
}

// planned is one entry of a plan with the version that it names.
type planned struct {
	webhook.PlanEntry
	*subscriber
}

// compile prepares a version. It was judged when it was saved, so a fault now
// is one of ours.
func compile(s webhook.Subscription, once time.Duration) (*subscriber, error) {
	request, faults := render.Compile(s)
	if len(faults) > 0 {
		return nil, fmt.Errorf("subscription %s of %s: %s: %s", s.ID, s.Tenant, faults[0].Field, faults[0].Detail)
	}
	spec, err := trigger.Compile(s)
	if err != nil {
		return nil, err
	}
	if spec != nil && once > 0 {
		spec.Keep(once)
	}
	return &subscriber{s, request, spec}, nil
}

// versions reads subscription versions. They are immutable, so what is cached
// is never stale.
type versions struct {
	store Subscriptions
	once  time.Duration // see webhook.Retention; zero means the default
	cache *lru.Cache[webhook.VersionRef, *subscriber]
}

func newVersions(store Subscriptions, once time.Duration) *versions {
	cache, err := lru.New[webhook.VersionRef, *subscriber](cachedVersions)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &versions{store, once, cache}
}

// get returns the planned versions. Those that retention has removed since
// are left out: their subscriptions are long gone.
func (v *versions) get(ctx context.Context, tenant string, entries []webhook.PlanEntry) ([]planned, error) {
	subs := make([]*subscriber, len(entries))
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
	found := make([]planned, 0, len(entries))
	for i, s := range subs {
		if s != nil {
			found = append(found, planned{entries[i], s})
		}
	}
	return found, nil
}

// read fetches versions from the store; one that does not exist comes back as
// nil.
func (v *versions) read(ctx context.Context, refs []webhook.VersionRef) ([]*subscriber, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	stored, err := v.store.Versions(ctx, refs)
	if errors.Is(err, webhook.ErrNotFound) {
		if len(refs) == 1 {
			return []*subscriber{nil}, nil
		}
		return v.readHalves(ctx, refs)
	}
	if err != nil {
		return nil, err
	}
	subs := make([]*subscriber, len(stored))
	for i, s := range stored {
		if subs[i], err = compile(s, v.once); err != nil {
			return nil, err
		}
		v.cache.Add(refs[i], subs[i])
	}
	return subs, nil
}

// readHalves finds the missing one by halving.
func (v *versions) readHalves(ctx context.Context, refs []webhook.VersionRef) ([]*subscriber, error) {
	half := len(refs) / 2
	left, err := v.read(ctx, refs[:half])
	if err != nil {
		return nil, err
	}
	right, err := v.read(ctx, refs[half:])
	return append(left, right...), err
}
