package record

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// deliveries removes those that ended long ago, and the bodies and answers of
// those that ended less long ago. Those beyond the youngest that could have ended
// are passed over.
func (p pruning) deliveries(ctx context.Context, after string) (last string, err error) {
	young := webhook.DeliveryIDBound(p.now.Add(-p.keep.Payload))
	type old struct {
		webhook.Delivery
		item table.Item
	}
	var ended []old
	var faults error
	last, err = p.step(ctx, 0, deliveryKind, after, func(tenant, id string, it table.Item) bool {
		if id >= young {
			return true
		}
		d, bad := readDelivery(tenant, id, it)
		if bad == nil && d.Status != webhook.Pending && !d.EndedAt.IsZero() && !d.EndedAt.After(p.now.Add(-p.keep.Payload)) {
			ended = append(ended, old{d, it})
		}
		faults = errors.Join(faults, bad)
		return false
	})
	for _, d := range ended {
		if err = errors.Join(err, faults); err != nil {
			return "", err
		}
		if !d.EndedAt.After(p.now.Add(-p.keep.All)) {
			err = p.store.forget(ctx, d.Delivery)
		} else if d.item.Fields.Int(deliveryBare) == 0 {
			err = p.store.bare(ctx, d.Delivery)
		}
	}
	return last, err
}

// forget removes a delivery with all that is known of it, unless it was saved
// since.
func (s *Store) forget(ctx context.Context, d webhook.Delivery) error {
	r := below(partsKey(d.Tenant, d.ID))
	for {
		parts, err := s.table.Page(ctx, r, table.MaxWrites/2)
		if err != nil {
			return err
		}
		writes := []table.Write{{Verb: table.Deletes, Item: table.Item{Key: deliveryKey(d.Tenant, d.ID)}, If: table.Equal(revision, d.Rev)}}
		done := len(parts) < table.MaxWrites/2
		if done {
			writes = append(writes, forgotten(d)...)
		} else {
			writes[0].Verb = table.Checks // first the parts that are many
		}
		for _, it := range parts {
			writes = append(writes, table.Write{Verb: table.Deletes, Item: table.Item{Key: it.Key}})
		}
		if err := s.table.Transact(ctx, writes, table.ForOthers); err != nil || done {
			return unlessSaved(err)
		}
	}
}

// forgotten are the writes that remove what names a delivery.
func forgotten(d webhook.Delivery) (writes []table.Write) {
	if d.Status != webhook.Succeeded {
		writes = append(writes, table.Write{Verb: table.Deletes, Item: table.Item{Key: openKey(d, d.Status)}})
	}
	if d.Occasion != "" {
		writes = append(writes, table.Write{Verb: table.Deletes, Item: table.Item{Key: occasionKey(d.Tenant, d.EventKey(), d.ID)}})
	}
	return writes
}

// bare removes a delivery's body and all answers, unless it was saved since.
func (s *Store) bare(ctx context.Context, d webhook.Delivery) error {
	if err := s.ExpungeParts(ctx, d.Tenant, d.ID); err != nil {
		return err
	}
	if d.Last != nil {
		d.Last.Response = nil
	}
	it := s.deliveryItem(d)
	it.Fields[deliveryBare] = int64(1)
	_, _, err := s.table.Put(ctx, it, table.How{If: table.Equal(revision, d.Rev), Wait: table.ForOthers})
	return unlessSaved(err)
}

// unlessSaved forgives that somebody saved meanwhile what was to be removed: the
// next pass judges it anew.
func unlessSaved(err error) error {
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}
