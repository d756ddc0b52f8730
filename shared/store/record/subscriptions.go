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
	c := change{ref: webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}, expect: expect, heavy: int64(sub.Heavy), within: sub.Within}
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
	// writes returns the head's write, which carries the condition, and what
	// else the change stores at that version.
	writes func(version int64, still table.Condition) ([]table.Write, error)
}

// change makes c at the version after the tenant's. It begins anew whenever
// another change of the tenant came first.
func (s *Store) change(ctx context.Context, c change) error {
	return s.recent.change(func() error {
		for try := range changeTries {
			if err := s.pause(ctx, try); err != nil {
				return err
			}
			writes, err := s.changing(ctx, c)
			if err != nil {
				return err
			}
			if overtaken, err := c.refused(s.table.Transact(ctx, writes, table.ForDisk)); !overtaken {
				return err
			}
		}
		return webhook.ErrBusy
	})
}

// changing returns all writes of a change, by what is stored now. The head's is
// the first.
func (s *Store) changing(ctx context.Context, c change) ([]table.Write, error) {
	counter, err := one(ctx, s.table, counterKey(c.ref.Tenant))
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return nil, err
	}
	has, err := s.occupied(ctx, c, counter)
	if err != nil {
		return nil, err
	}
	still := table.NoItem()
	if c.expect > 0 {
		still = table.Equal(headVersion, c.expect)
	}
	current := counter.Fields.Int("n")
	writes, err := c.writes(current+1, still)
	if err != nil {
		return nil, err
	}
	has["n"] = current + 1
	writes = append(writes, table.Write{
		Verb: table.Updates, Item: table.Item{Key: counterKey(c.ref.Tenant)}, If: table.Revision("n", current+1), Change: table.Change{Set: has},
	})
	writes = append(writes, s.logged(c.ref.Tenant, c.ref.ID, current+1)...)
	if c.expect > 0 && c.expect <= current { // else the head refuses, and the version may be the one that is made
		writes = append(writes, s.superseded(c.ref, c.expect))
	}
	return writes, nil
}

// occupied returns how many subscriptions the tenant has after the change, and what
// their filters take, or the error of the quota. The condition on the counter makes
// it exact. What the filters of the version before take is read only where some
// filter is heavy.
func (s *Store) occupied(ctx context.Context, c change, counter table.Item) (table.Fields, error) {
	subscriptions, heavy, before := max(0, counter.Fields.Int("sn")+c.more), counter.Fields.Int("sw"), int64(0)
	if heavy > 0 && c.expect > 0 {
		head, err := one(ctx, s.table, headKey(c.ref))
		if err != nil && !errors.Is(err, webhook.ErrNotFound) {
			return nil, err
		}
		before = head.Fields.Int(headHeavy) // of another version than expected: then the head refuses
	}
	heavy = max(0, heavy+c.heavy-before)
	return table.Fields{"sn": subscriptions, "sw": heavy}, c.within.Check(subscriptions, heavy, c.more > 0, c.heavy > before)
}

// refused tells why a change was not made: overtaken by another one, or, as the
// head's write tells, because the version is not the one expected.
func (c change) refused(err error) (overtaken bool, _ error) {
	var refusal *table.Refusal
	if !errors.As(err, &refusal) {
		return errors.Is(err, table.ErrMet), err
	}
	head, its := refusal.Refused[0]
	switch {
	case !its:
		return true, err
	case c.expect == 0:
		return false, webhook.ErrExists
	case head.Key == (table.Key{}):
		return false, webhook.ErrNotFound
	}
	return false, webhook.ErrConflict
}

// pause waits before a change is made anew: not before the first try, then a random
// time, which grows by milliseconds where one place has the table, and doubles up to
// half a second where many machines do.
func (s *Store) pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	longest := time.Duration(try) * time.Millisecond
	if s.spread {
		longest = min(10*time.Millisecond<<min(try, 10), 500*time.Millisecond)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(longest)):
		return nil
	}
}
