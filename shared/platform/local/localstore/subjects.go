package localstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// pageOfSubject lists the deliveries of the events that have a subject. They
// come by event, in the order of events.
func (s *Store) pageOfSubject(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	list := newList[webhook.Delivery](page, isSubjectPosition, "subject", tenant, filter.Subject, filter.Subscription, string(filter.Status))
	first, end := acceptedBetween(page)
	low, high, err := list.bounds(eventPosition(first, ""), eventPosition(end, ""))
	if err != nil {
		return nil, "", err
	}
	// A position names an event and one of its deliveries, to go on with.
	resumed := ""
	for _, bound := range []*string{&low, &high} {
		event, delivery, found := strings.Cut(strings.TrimSuffix(*bound, "\x00"), subjectSeparator)
		if *bound = event; found {
			resumed = event + subjectSeparator + delivery
		}
	}
	if resumed != "" && page.Desc {
		high += "\x00" // the event itself has more
	}
	events := listEvents(tenant, filter.Subject, low, high, list.order())
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(events.sql, events.args, func(row *localdb.Row) error {
			e, err := readEvent(row, tenant)
			if err != nil {
				return err
			}
			begin := eventPosition(row.Int64(0), row.Text(1)) + subjectSeparator
			after, _ := strings.CutPrefix(resumed, begin)
			if after == resumed {
				after = ""
			}
			return takeOfEvent(list, tx, e, filter, begin, after)
		})
	})
	return list.page(err)
}

// takeOfEvent takes the deliveries of one event, from one on; "" is the first.
// The event itself counts as a row, so that a page ends though many have none.
// What its plan and triggers sent has the time of its acceptance in its id, what
// replays sent a later time.
func takeOfEvent(l *list[webhook.Delivery], tx *localdb.Tx, e webhook.StoredEvent, filter webhook.DeliveryFilter, begin, from string) error {
	if err := l.row(false, func() string { return begin + from }, nil); err != nil {
		return err
	}
	accepted := e.AcceptedAt.UnixMilli()
	low, mid, high := webhook.DeliveryIDBound(time.UnixMilli(accepted)), webhook.DeliveryIDBound(time.UnixMilli(accepted+1)), deliveryIDEnd
	switch {
	case from == "":
	case l.asked.Desc:
		high = from + "\x00"
	default:
		low = from
	}
	parts := []statement{
		listDeliveries(e.Tenant, webhook.DeliveryFilter{}, low, min(mid, high), l.order()),
		replayedDeliveries(e, max(low, mid), high, l.order()),
	}
	if l.asked.Desc {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		err := tx.Query(part.sql, part.args, func(row *localdb.Row) error {
			d, err := readDelivery(row, e.Tenant)
			if err != nil || d.EventID != e.ID || d.EventSource != e.Source {
				return err
			}
			wanted := (filter.Status == "" || d.Status == filter.Status) && (filter.Subscription == "" || d.Subscription == filter.Subscription)
			return l.row(wanted, func() string { return begin + d.ID }, func() (webhook.Delivery, error) { return d, nil })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replayedDeliveries selects those of an event that have an occasion, in a range
// of ids.
func replayedDeliveries(e webhook.StoredEvent, low, high, order string) statement {
	sql := selectBy("occasion") + " AND event_source = ? AND event_id = ? AND occasion <> '' AND id >= ? AND id < ? ORDER BY id " + order
	return statement{sql, []any{e.Tenant, e.Source, e.ID, low, high}}
}

// subjectSeparator parts the event from the delivery in a position.
const subjectSeparator = "|"

func isSubjectPosition(text string) bool {
	event, delivery, found := strings.Cut(text, subjectSeparator)
	return found && isEventPosition(event) && (delivery == "" || isDeliveryID(delivery))
}
