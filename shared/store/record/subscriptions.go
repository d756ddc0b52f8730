package record

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// changeTries bounds how often a change makes way for others of its tenant. Each
// time it does, another one has succeeded.
const changeTries = 20

// SaveSubscription stores sub as a new version, with its head, if the current
// version is still expect; 0 creates it. It returns sub with its Version, and
// its Born if it was created; or [webhook.ErrExists], [webhook.ErrNotFound],
// [webhook.ErrConflict]; beyond sub.Within, [webhook.ErrTooMany] or
// [webhook.ErrTooHeavy].
func (s *Store) SaveSubscription(ctx context.Context, sub webhook.Subscription, expect int64) (webhook.Subscription, error) {
	c := change{ref: webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}, expect: expect, heavy: int64(sub.Heavy), within: sub.Within, at: sub.UpdatedAt}
	if expect == 0 {
		c.more = 1
	}
	sub.Within = webhook.Quota{}
	c.writes = func(version int64, still table.Condition) ([]table.Write, error) {
		if sub.Version = version; expect == 0 {
			sub.Born = version
		}
		stored, err := versionItem(sub)
		return []table.Write{{Item: headItem(sub), If: still}, {Item: stored}}, err
	}
	if err := s.change(ctx, c); err != nil {
		return webhook.Subscription{}, err
	}
	return sub, nil
}

// DeleteSubscription removes the head if the current version is still expect;
// otherwise [webhook.ErrNotFound] or [webhook.ErrConflict]. Versions stay until
// they expire.
func (s *Store) DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error {
	return s.change(ctx, change{ref: ref, expect: max(expect, 1), more: -1, writes: func(_ int64, still table.Condition) ([]table.Write, error) {
		return []table.Write{{Verb: table.Deletes, Item: table.Item{Key: headKey(ref)}, If: still}}, nil
	}})
}

// change is one change of one subscription, made at the tenant's next version.
type change struct {
	ref    webhook.SubscriptionRef
	expect int64 // the version that is current until now, 0 for none
	more   int64 // subscriptions that the tenant has then: 1, 0 or -1
	heavy  int64 // see webhook.Subscription, which also has the quota
	within webhook.Quota
	at     time.Time // when it was asked for; zero for when it was last changed
	// writes returns the head's write, which carries the condition, and what
	// else the change stores at that version.
	writes func(version int64, still table.Condition) ([]table.Write, error)
}

// change makes c at the version after the tenant's. It begins anew whenever
// another change of the tenant came first.
func (s *Store) change(ctx context.Context, c change) error {
	return s.recent.change(func() error {
		for try := range changeTries {
			if err := pause(ctx, try); err != nil {
				return err
			}
			writes, err := s.changing(ctx, c)
			if err != nil {
				return err
			}
			if err = s.table.Transact(ctx, writes, table.ForDisk); !errors.Is(err, table.ErrRefused) {
				return err
			}
		}
		return webhook.ErrBusy
	})
}

// changing returns all writes of a change, by what is stored now.
func (s *Store) changing(ctx context.Context, c change) ([]table.Write, error) {
	found, err := s.table.Get(ctx, s.counter(c.ref.Tenant), headKey(c.ref))
	if err != nil {
		return nil, err
	}
	counter, before := found[s.counter(c.ref.Tenant)].Fields, found[headKey(c.ref)].Fields
	if err := c.expected(before.Int(headVersion)); err != nil {
		return nil, err
	}
	current, subscriptions := counter.Int("n"), max(0, counter.Int("sn")+c.more)
	heavier := c.heavy - before.Int(headHeavy)
	heavy := max(0, counter.Int("sw")+heavier)
	if err := c.within.Check(subscriptions, heavy, c.more > 0, heavier > 0); err != nil {
		return nil, err
	}
	still := table.NoItem()
	if c.expect > 0 {
		still = table.Equal(headVersion, c.expect)
	}
	writes, err := c.writes(current+1, still)
	if err != nil {
		return nil, err
	}
	writes = append(append(writes, table.Write{
		Verb: table.Updates, Item: table.Item{Key: s.counter(c.ref.Tenant)}, If: table.Revision("n", current+1),
		Change: table.Change{Set: table.Fields{"n": current + 1, "sn": subscriptions, "sw": heavy}},
	}), logged(c.ref.Tenant, c.ref.ID, current+1)...)
	if since := later(c.at, before.Time(headUpdated)); c.expect > 0 && !since.IsZero() {
		writes = append(writes, s.superseded(c.ref, c.expect, since))
	}
	return writes, nil
}

// expected tells what is wrong if the current version is not the one expected.
func (c change) expected(current int64) error {
	switch {
	case current == c.expect:
		return nil
	case c.expect == 0:
		return webhook.ErrExists
	case current == 0:
		return webhook.ErrNotFound
	}
	return webhook.ErrConflict
}

// pause waits a little longer the more often a change was overtaken.
func pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(time.Millisecond)))):
		return nil
	}
}
