package record

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// pagesTime is how long the messages for a large plan's pages may wait in their queue, each for
// its event's data.
const pagesTime = 14 * 24 * time.Hour

// events removes those that are old and of which no delivery is left, and the
// data of those that are less old and of which none waits.
func (p pruning) events(ctx context.Context, after string) (last string, err error) {
	payload := eventPosition(p.now.Add(-p.keep.Payload).UnixMilli(), behindAll)
	var keys []table.Key
	last, err = p.step(ctx, 1, eventKind, after, func(_, position string, it table.Item) bool {
		if position > payload {
			return true
		}
		keys = append(keys, it.Key)
		return false
	})
	if err != nil {
		return "", err
	}
	items, err := p.store.table.Get(ctx, keys...)
	for _, key := range keys {
		if err != nil {
			return "", err
		}
		if it, there := items[key]; there {
			err = p.event(ctx, it)
		}
	}
	return last, err
}

// event judges one that may be old enough.
func (p pruning) event(ctx context.Context, it table.Item) error {
	tenant, _, _ := strings.Cut(it.Sort, separator)
	e, _, err := readEvent(tenant, it)
	if err != nil {
		return err
	}
	mayGo := p.now.Add(-p.keep.Payload)
	if e.Plan.Pages > 0 {
		mayGo = later(p.now.Add(-p.keep.All), mayGo.Add(-pagesTime))
	}
	old := !e.AcceptedAt.After(p.now.Add(-p.keep.All))
	bare := it.Fields.Int(eventBare) != 0
	if it.Fields.Time(eventKeep).After(p.now) || !old && (bare || e.AcceptedAt.After(mayGo)) {
		return nil
	}
	if waits, err := p.store.owes(ctx, e, true); waits || err != nil {
		return err
	}
	kept := !old
	if old {
		if kept, err = p.store.owes(ctx, e, false); err != nil {
			return err
		}
	}
	switch {
	case !kept:
		return p.store.forgetEvent(ctx, it)
	case bare:
		return nil
	}
	return p.store.bareEvent(ctx, e)
}

// mostOwed is how many deliveries of one millisecond are looked at.
const mostOwed = 250

// owes reports whether a delivery of the event is stored, or waits, or whether
// there are too many of its millisecond to tell.
func (s *Store) owes(ctx context.Context, e webhook.StoredEvent, waiting bool) (found bool, err error) {
	accepted := e.AcceptedAt.UnixMilli()
	of := deliveriesOf(e.Tenant, webhook.DeliveryFilter{})
	if waiting {
		of = deliveriesOf(e.Tenant, webhook.DeliveryFilter{Status: webhook.Pending})
	}
	of.low, of.high = webhook.DeliveryIDBound(time.UnixMilli(accepted)), webhook.DeliveryIDBound(time.UnixMilli(accepted+1))
	again := and(occasionsKey(e.Tenant, e.Key()), "")
	replays := span{partition: again.Partition, prefix: again.Sort, high: behindAll, item: func(it table.Item) table.Key {
		return deliveryKey(e.Tenant, lastOf(it))
	}}
	for _, of := range []span{replays, of} {
		n := 0
		err := each(ctx, s.table, of, false, mostOwed, func(_ string, it table.Item) error {
			d, err := readDelivery(e.Tenant, lastOf(it), it)
			if n++; n >= mostOwed || d.EventID == e.ID && d.EventSource == e.Source && (!waiting || d.Status == webhook.Pending) {
				found = true
				return errPageEnds
			}
			return err
		})
		if found || err != nil && !errors.Is(err, errPageEnds) {
			return found, unlessEnded(err)
		}
	}
	return false, nil
}

// bareEvent removes an event's data and extensions.
func (s *Store) bareEvent(ctx context.Context, e webhook.StoredEvent) error {
	err := s.strip(ctx, e.Tenant, e.Key(), table.Change{}, table.ForOthers)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	return err
}

// hangingAtOnce is how many items one step removes that hang on one event: pages
// of a plan have some 30 KB each. The next pass removes the next.
const hangingAtOnce = 20

// forgetEvent removes an event, after what hangs on it.
func (s *Store) forgetEvent(ctx context.Context, it table.Item) error {
	n, err := purge(ctx, s.table, hangingAtOnce, below(it.Key))
	if err != nil || n == hangingAtOnce {
		return err
	}
	return unlessSaved(s.table.Transact(ctx, []table.Write{
		{Verb: table.Deletes, Item: table.Item{Key: it.Key}, If: table.Revision(revision, it.Fields.Int(revision)+1)},
	}, table.ForOthers))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
