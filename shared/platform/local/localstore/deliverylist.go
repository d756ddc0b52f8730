package localstore

import (
	"context"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// deliveryIDEnd sorts after every delivery id.
const deliveryIDEnd = "dlv_~"

// PageDeliveries lists stored deliveries in order of their CreatedAt, which is the
// order of their ids.
func (s *Store) PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	if filter.Subject != "" {
		return s.pageOfSubject(ctx, tenant, filter, page)
	}
	list := newList[webhook.Delivery](page, isDeliveryID, "deliveries", tenant, filter.Subscription, string(filter.Status))
	low, high, err := list.bounds(deliveriesBetween(page))
	if err != nil {
		return nil, "", err
	}
	query := listDeliveries(tenant, filter, low, high, list.order())
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(query.sql, query.args, func(row *localdb.Row) error {
			wanted := filter.Status == "" || row.Text(1) == string(filter.Status)
			id := func() string { return row.Text(0) }
			return list.row(wanted, id, func() (webhook.Delivery, error) { return readDelivery(row, tenant) })
		})
	})
	return list.page(err)
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

// listDeliveries selects a range of ids, low included and high excluded, and
// filters by what has an index. Most deliveries succeed, so for these there is
// none by status. The index is named, since SQLite takes the key for as good
// and would pass over a million rows.
func listDeliveries(tenant string, filter webhook.DeliveryFilter, low, high, order string) statement {
	bySubscription := filter.Subscription != ""
	byStatus := filter.Status != "" && filter.Status != webhook.Succeeded
	index, where, args := "", "", []any{tenant}
	if bySubscription {
		index, where, args = "subscription", " AND subscription = ?", append(args, filter.Subscription)
	}
	if byStatus {
		index, where, args = "status", where+" AND status = ? AND status <> 'succeeded'", append(args, string(filter.Status))
	}
	if bySubscription && byStatus {
		index = "both"
	}
	return statement{selectBy(index) + where + " AND id >= ? AND id < ? ORDER BY id " + order, append(args, low, high)}
}

// selectBy is selectDeliveries by the index deliveries_by_…, "" for the key.
func selectBy(index string) string {
	if index == "" {
		return selectDeliveries
	}
	return strings.Replace(selectDeliveries, "FROM deliveries", "FROM deliveries INDEXED BY deliveries_by_"+index, 1)
}
