package record

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Where many machines have the table, nothing passes over it to remove what is old.
// Events, deliveries and what hangs on them have an expiry there.
const (
	// grace is how much longer than promised an event and parts are kept, whose
	// deliveries may end that much later, or begin to wait for their subscription
	// so much later less outage, without a further write.
	grace = 5 * 24 * time.Hour
	// outage is what an outage of ours may take from a waiting delivery's time, at
	// least.
	outage = 3 * 24 * time.Hour
	// slack is added whenever what belongs to a waiting delivery is kept longer, so
	// that the next of its writes need not do it again.
	slack = 10 * 24 * time.Hour
)

// in returns the time that long from now, where records expire; else never.
func (s *Store) in(long time.Duration) time.Time {
	if !s.spread {
		return time.Time{}
	}
	return s.Now().Add(long)
}

// lifetime is the expiry of an event or part that is written now.
func (s *Store) lifetime() time.Time { return s.in(s.Retention + grace) }

// dead reports whether an item has expired. Its table takes days to remove it;
// until then it is as if it were not there.
func (s *Store) dead(it table.Item) bool {
	return !it.Expires.IsZero() && it.Expires.Unix() <= s.Now().Unix()
}

// unless is the condition that no item is under a key, or one that has expired.
func (s *Store) unless() table.Condition {
	if !s.spread {
		return table.NoItem()
	}
	return table.NoItem().Or(table.AtMost(table.ExpiresField, s.Now().Unix()))
}

// alive reads an item that has not expired, or returns [webhook.ErrNotFound].
func (s *Store) alive(ctx context.Context, key table.Key) (table.Item, error) {
	it, err := one(ctx, s.table, key)
	if err == nil && s.dead(it) {
		return table.Item{}, webhook.ErrNotFound
	}
	return it, err
}

// payloadGoes reports whether data is to go before its event, by an expiry.
func (s *Store) payloadGoes() bool {
	return s.spread && s.PayloadRetention > 0 && s.PayloadRetention < s.Retention
}

// apart reports whether an event's data stands in an item of its own.
func (s *Store) apart(e webhook.StoredEvent) bool {
	if s.spread {
		return s.payloadGoes() && (e.Data != nil || e.Profile != nil)
	}
	return len(e.Data) > longData
}

// payloadLifetime is the expiry of data that is written now.
func (s *Store) payloadLifetime(e webhook.StoredEvent) time.Time {
	keep := s.PayloadRetention
	if e.Plan.Pages > 0 {
		keep = max(keep, pagesTime)
	}
	return s.in(keep)
}

// keepUntil moves an item's expiry on; never back, and never on an item that
// is not there or that does not expire.
func (s *Store) keepUntil(ctx context.Context, key table.Key, until time.Time) error {
	return s.setExpiry(ctx, key, until, table.AtMost(table.ExpiresField, until.Unix()-1))
}

func (s *Store) setExpiry(ctx context.Context, key table.Key, to time.Time, when table.Condition) error {
	_, _, err := s.table.Update(ctx, key, table.Change{Expires: to}, table.How{If: when})
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}

// keepEvent sees to it that an event does not expire before the given time, nor
// before what is decided about it now.
func (s *Store) keepEvent(ctx context.Context, tenant, key string, until time.Time) error {
	if err := s.keepUntil(ctx, eventKey(tenant, key), later(until, s.lifetime())); err != nil || !s.payloadGoes() {
		return err
	}
	return s.keepData(ctx, tenant, key, until)
}

// keepData keeps an event's data that stands apart.
func (s *Store) keepData(ctx context.Context, tenant, key string, until time.Time) error {
	it, err := one(ctx, s.table, eventKey(tenant, key))
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	e, apart, bad := readEvent(tenant, it)
	if err = errors.Join(err, bad); err != nil || !apart {
		return err
	}
	return s.keepUntil(ctx, dataKey(tenant, key, e.Nonce), until)
}

// prolong moves on the expiry of a delivery's event and parts if the delivery
// may need them for longer than they were given at first. That is rare: a
// delivery sends or waits at an age of weeks, or ends at one of days.
func (s *Store) prolong(ctx context.Context, d webhook.Delivery) error {
	until := s.neededUntil(d)
	if s.payloadGoes() {
		if err := s.prolongPayload(ctx, d, until.Add(webhook.MaxWait)); err != nil { // it is written anyhow, so at once for the longest wait
			return err
		}
	}
	if !until.After(d.CreatedAt.Add(s.Retention + grace)) { // as long as all that belongs to it is kept anyhow
		return nil
	}
	if d.Status == webhook.Pending {
		until = until.Add(slack)
	}
	keys, err := s.belonging(ctx, d)
	for _, k := range keys {
		if err == nil {
			err = s.keepUntil(ctx, k, until)
		}
	}
	return err
}

// belonging are the keys of what belongs to a delivery, but a body that has been
// let go.
func (s *Store) belonging(ctx context.Context, d webhook.Delivery) ([]table.Key, error) {
	items, err := s.table.Page(ctx, below(partsKey(d.Tenant, d.ID)), attemptsLimit)
	keys := []table.Key{eventKey(d.Tenant, d.EventKey())}
	if d.Occasion != "" {
		keys = append(keys, occasionKey(d.Tenant, d.EventKey(), d.ID))
	}
	for _, it := range items {
		keys = append(keys, it.Key)
	}
	if s.payloadGoes() && d.Status != webhook.Pending {
		keys = slices.DeleteFunc(keys, func(k table.Key) bool { return k == contentKey(d.Tenant, d.ID) })
	}
	return keys, err
}

// neededUntil is the earliest time at which nobody misses what belongs to d,
// unless it is written again before.
func (s *Store) neededUntil(d webhook.Delivery) time.Time {
	now := s.Now()
	switch {
	case d.Status != webhook.Pending:
		return now.Add(s.Retention)
	case d.InLine():
		return now.Add(webhook.MaxWait + outage)
	case d.NextAt.After(now):
		now = d.NextAt
	}
	return now.Add(outage)
}

// prolongPayload keeps the data that stands apart while a delivery waits, and
// lets the body go PayloadRetention after the delivery has ended. Once a day is
// enough.
func (s *Store) prolongPayload(ctx context.Context, d webhook.Delivery, until time.Time) error {
	body := contentKey(d.Tenant, d.ID)
	if d.Status != webhook.Pending {
		if d.Rev == 0 {
			return nil // it ended at once and has no body
		}
		return s.setExpiry(ctx, body, s.Now().Add(s.PayloadRetention), table.Exists())
	}
	until = until.Truncate(24 * time.Hour)
	if d.Round > 0 { // it had ended before
		if err := s.keepUntil(ctx, body, until); err != nil {
			return err
		}
	}
	return s.keepData(ctx, d.Tenant, d.EventKey(), until)
}
