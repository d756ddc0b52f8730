package record

import (
	"context"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// deliveryIDEnd sorts after every delivery id.
const deliveryIDEnd = "dlv_~"

// PageDeliveries lists stored deliveries in order of their CreatedAt, which is the
// order of their ids.
func (s *Store) PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	if s.spread {
		return s.pageSpread(ctx, tenant, filter, page)
	}
	if filter.Subject != "" {
		return s.pageOfSubject(ctx, tenant, filter, page)
	}
	l := newList[webhook.Delivery](page, isDeliveryID, "deliveries", tenant, filter.Subscription, string(filter.Status))
	of := deliveriesOf(tenant, filter)
	of.low, of.high = deliveriesBetween(page)
	take := func(_ string, it table.Item) (webhook.Delivery, bool, error) {
		d, err := readDelivery(tenant, lastOf(it), it)
		return d, filter.Status == "" || d.Status == filter.Status, err
	}
	return l.read(ctx, s.table, of, take)
}

func isDeliveryID(text string) bool {
	_, _, err := webhook.ParseDeliveryID(text)
	return err == nil
}

// deliveriesBetween returns the range of ids within the page's bounds.
func deliveriesBetween(page webhook.Page) (low, high string) {
	first, end := acceptedBetween(page)
	return webhook.DeliveryIDBound(time.UnixMilli(first)), min(deliveryIDEnd, webhook.DeliveryIDBound(time.UnixMilli(end)))
}

// deliveriesOf is where the deliveries are that a filter lets through. Most
// succeed, so nothing names these by their status: others are passed over.
func deliveriesOf(tenant string, filter webhook.DeliveryFilter) span {
	byStatus := filter.Status != "" && filter.Status != webhook.Succeeded
	switch {
	case filter.Subscription != "" && byStatus:
		open := and(openOf(tenant, filter.Subscription, filter.Status), "")
		return span{partition: open.Partition, prefix: open.Sort, item: func(it table.Item) table.Key {
			return deliveryKey(tenant, lastOf(it))
		}}
	case filter.Subscription != "":
		return span{index: 1, item: itself, partition: subscriptionPlace(tenant, filter.Subscription, "").Partition}
	case byStatus:
		return span{index: 2, item: itself, partition: statusPlace(tenant, filter.Status, "").Partition}
	}
	all := deliveryKey(tenant, "")
	return span{partition: all.Partition, prefix: all.Sort}
}
