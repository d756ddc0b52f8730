package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of the subscription versions that a process holds, compiled, in bytes: a
// usual one takes 2 KB, the largest somewhat above 2 MiB. A function has 512 MB.
const (
	maxVersions      = 48 << 20
	maxOwnedVersions = 12 << 20 // of one tenant, when others want the rest
	heavy            = 64 << 10 // what weighs more is held by one entry of a plan at a time
)

// Of a plan so many versions are read at once, and by so many messages; and so many
// heavy ones are with triggers that are asked.
const (
	readAtOnce    = 50
	readersAtOnce = 4
	heavyAtOnce   = 8
)

// subscriber is one version of a subscription with its request and trigger,
// compiled.
type subscriber struct {
	webhook.Subscription
	request *render.Request
	trigger *trigger.Spec    // nil if every match leads to a delivery
	profile *pattern.Pattern // the filter, if it asks more than the event; else nil
	weight  int              // bytes
	group   webhook.Group    // of the delivery that is being made; see inGroup
}

// triggerWeight is what a compiled trigger takes at most, in bytes: it keeps paths
// and numbers.
const triggerWeight = 1 << 10

// planned is one entry of a plan with the version that it names.
type planned struct {
	webhook.PlanEntry
	*subscriber
}

// inGroup is the subscriber as the entry's group has it.
func (p planned) inGroup() *subscriber {
	if p.Group == 0 {
		return p.subscriber
	}
	s := *p.subscriber
	s.group = p.Group
	return &s
}

// light returns an entry that can wait for its turn: of a heavy subscription it
// has only what names the keys of its trigger.
func (p planned) light() planned {
	if p.weight <= heavy {
		return p
	}
	s := p.subscriber.Subscription
	s.Request, s.Filter, s.Metadata, s.Description = nil, nil, nil, ""
	return planned{p.PlanEntry, &subscriber{Subscription: s, trigger: p.trigger, profile: p.profile, weight: p.weight}}
}

// whole returns what light made light, and what to call when it is done with. Its
// subscriber is nil if retention has removed it meanwhile.
func (v *versions) whole(ctx context.Context, tenant string, p planned) (planned, func(), error) {
	if p.request != nil {
		return p, func() {}, nil
	}
	select {
	case v.heavies <- struct{}{}:
	case <-ctx.Done():
		return planned{}, nil, ctx.Err()
	}
	release := func() { <-v.heavies }
	s, err := v.get(ctx, refOf(tenant, p.PlanEntry))
	if err != nil || s == nil {
		release()
		return planned{}, nil, err
	}
	whole := *s
	whole.trigger = p.trigger // with the rules of its campaign
	return planned{p.PlanEntry, &whole}, release, nil
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
	compiled := &subscriber{Subscription: s, request: request, trigger: spec, weight: s.Size() + request.Weight() + triggerWeight}
	if spec == nil && s.Campaign == "" || len(s.Filter) == 0 { // only what waits asks again
		return compiled, nil
	}
	whole, err := pattern.CompileOver(pattern.WithProfile, s.Filter, "filter")
	if err != nil {
		return nil, fmt.Errorf("subscription %s of %s: %w", s.ID, s.Tenant, err)
	}
	if _, asks := whole.OfEvent(); asks {
		compiled.profile = whole
		compiled.weight += whole.Weight()
	}
	return compiled, nil
}

// versions reads subscription versions. They are immutable, so what is cached
// is never stale.
type versions struct {
	store   Subscriptions
	once    time.Duration // see webhook.Retention; zero means the default
	cache   *weighed.Cache[webhook.VersionRef, *subscriber]
	readers chan struct{}
	heavies chan struct{}
}

func newVersions(store Subscriptions, once time.Duration) *versions {
	cache := weighed.New[webhook.VersionRef, *subscriber](maxVersions, maxOwnedVersions, nil)
	return &versions{store, once, cache, make(chan struct{}, readersAtOnce), make(chan struct{}, heavyAtOnce)}
}

// each calls use for the planned versions, in their order, until it fails. Those
// that retention has removed since are left out: their subscriptions are long gone.
func (v *versions) each(ctx context.Context, tenant string, entries []webhook.PlanEntry, use func(planned) error) error {
	for some := range slices.Chunk(entries, readAtOnce) {
		if err := v.some(ctx, tenant, some, use); err != nil {
			return err
		}
	}
	return nil
}

// some is each for entries that are read at once. A version that is heavy is
// compiled, or taken from the cache, when its turn comes and not before.
func (v *versions) some(ctx context.Context, tenant string, entries []webhook.PlanEntry, use func(planned) error) error {
	subs := make([]*subscriber, len(entries))
	var missing []webhook.VersionRef
	for i, e := range entries {
		s, ok := v.cache.Get(refOf(tenant, e))
		if !ok {
			missing = append(missing, refOf(tenant, e))
		} else if s.weight <= heavy {
			subs[i] = s
		}
	}
	read := map[webhook.VersionRef]webhook.Subscription{}
	if len(missing) > 0 {
		select {
		case v.readers <- struct{}{}:
			defer func() { <-v.readers }()
		case <-ctx.Done():
			return ctx.Err()
		}
		missing = slices.DeleteFunc(missing, func(ref webhook.VersionRef) bool {
			_, ok := v.cache.Get(ref) // somebody else has read it meanwhile: many events begin at once
			return ok
		})
	}
	if len(missing) > 0 {
		if err := v.read(ctx, missing, read); err != nil {
			return fmt.Errorf("read subscriptions: %w", err)
		}
	}
	for i, e := range entries {
		s := subs[i]
		if s == nil {
			var err error
			if s, err = v.one(ctx, refOf(tenant, e), read); err != nil {
				return err
			}
		}
		if s == nil {
			continue
		}
		if err := use(planned{e, s}); err != nil {
			return err
		}
	}
	return nil
}

func refOf(tenant string, e webhook.PlanEntry) webhook.VersionRef {
	return webhook.VersionRef{Tenant: tenant, ID: e.Subscription, Version: e.Version}
}

// get returns one version; nil if retention has removed it.
func (v *versions) get(ctx context.Context, ref webhook.VersionRef) (*subscriber, error) {
	if s, ok := v.cache.Get(ref); ok {
		return s, nil
	}
	read := map[webhook.VersionRef]webhook.Subscription{}
	if err := v.read(ctx, []webhook.VersionRef{ref}, read); err != nil {
		return nil, err
	}
	return v.one(ctx, ref, read)
}

// one takes a version out of what was read, or of the cache, which may have
// dropped it meanwhile.
func (v *versions) one(ctx context.Context, ref webhook.VersionRef, read map[webhook.VersionRef]webhook.Subscription) (*subscriber, error) {
	stored, ok := read[ref]
	if !ok {
		if s, ok := v.cache.Get(ref); ok {
			return s, nil
		}
		if err := v.read(ctx, []webhook.VersionRef{ref}, read); err != nil {
			return nil, fmt.Errorf("read subscription: %w", err)
		}
		if stored, ok = read[ref]; !ok {
			return nil, nil
		}
	}
	delete(read, ref)
	s, err := compile(stored, v.once)
	if err == nil {
		v.cache.Put(ref.Tenant, ref, s, s.weight)
	}
	return s, err
}

// read fetches versions from the store; one that does not exist is left out.
func (v *versions) read(ctx context.Context, refs []webhook.VersionRef, into map[webhook.VersionRef]webhook.Subscription) error {
	stored, err := v.store.Versions(ctx, refs)
	if errors.Is(err, webhook.ErrNotFound) {
		if len(refs) == 1 {
			return nil
		}
		half := len(refs) / 2
		if err := v.read(ctx, refs[:half], into); err != nil {
			return err
		}
		return v.read(ctx, refs[half:], into)
	}
	if err != nil {
		return err
	}
	for i, s := range stored {
		into[refs[i]] = s
	}
	return nil
}
