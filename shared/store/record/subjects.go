package record

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// pageOfSubject lists the deliveries of the events that have a subject. They
// come by event, in the order of events.
func (s *Store) pageOfSubject(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	l := newList[webhook.Delivery](page, isSubjectPosition, "subject", tenant, filter.Subject, filter.Subscription, string(filter.Status))
	of, err := l.from(s.eventsBetween(tenant, filter.Subject, page))
	if err != nil {
		return nil, "", err
	}
	// A position names an event and one of its deliveries, to go on with.
	resumed, from := "", ""
	for _, bound := range []*string{&of.low, &of.high} {
		if event, delivery, found := strings.Cut(*bound, subjectSeparator); found {
			*bound, resumed, from = event, event, delivery
		}
	}
	return l.page(each(ctx, s.table, of, page.Desc, page.Limit+1, func(position string, it table.Item) error {
		e, _, err := readEvent(tenant, it)
		if err != nil || e.Subject != filter.Subject {
			return err
		}
		first := ""
		if position == resumed {
			first = from
		}
		return s.takeOfEvent(ctx, l, e, filter, position+subjectSeparator, first)
	}))
}

// takeOfEvent takes the deliveries of one event, from one on; "" is the first.
// The event itself counts as a row, so that a page ends though many have none.
// What its plan and triggers sent has the time of its acceptance in its id, what
// replays sent a later time.
func (s *Store) takeOfEvent(ctx context.Context, l *list[webhook.Delivery], e webhook.StoredEvent, filter webhook.DeliveryFilter, begin, from string) error {
	if err := l.row(begin+from, false, webhook.Delivery{}); err != nil {
		return err
	}
	accepted := e.AcceptedAt.UnixMilli()
	low, mid, high := webhook.DeliveryIDBound(time.UnixMilli(accepted)), webhook.DeliveryIDBound(time.UnixMilli(accepted+1)), deliveryIDEnd
	switch {
	case from == "":
	case l.asked.Desc:
		high = from
	default:
		low = from
	}
	planned := deliveriesOf(e.Tenant, webhook.DeliveryFilter{})
	planned.low, planned.high = low, min(mid, high)
	again := and(occasionsKey(e.Tenant, e.Key()), "")
	replayed := span{partition: again.Partition, prefix: again.Sort, low: max(low, mid), high: high, item: func(it table.Item) table.Key {
		return deliveryKey(e.Tenant, lastOf(it))
	}}
	parts := []span{planned, replayed}
	if l.asked.Desc {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		err := each(ctx, s.table, part, l.asked.Desc, l.asked.Limit+1, func(_ string, it table.Item) error {
			d, err := readDelivery(e.Tenant, lastOf(it), it)
			if err != nil || d.EventID != e.ID || d.EventSource != e.Source {
				return err
			}
			wanted := (filter.Status == "" || d.Status == filter.Status) && (filter.Subscription == "" || d.Subscription == filter.Subscription)
			return l.row(begin+d.ID, wanted, d)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// subjectSeparator parts the event from the delivery in a position.
const subjectSeparator = "|"

func isSubjectPosition(text string) bool {
	event, delivery, found := strings.Cut(text, subjectSeparator)
	return found && isEventPosition(event) && (delivery == "" || isDeliveryID(delivery))
}
