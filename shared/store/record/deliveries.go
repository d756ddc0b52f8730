package record

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func deliveryKey(tenant, id string) table.Key { return at(deliveryKind, tenant, id) }

// deliveryBare is the field of a delivery whose body and answers were removed.
const deliveryBare = "x"

// Delivery returns a stored delivery, or [webhook.ErrNotFound].
func (s *Store) Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error) {
	if s.written.absent(ctx, s.table, tenant, id) {
		return webhook.Delivery{}, webhook.ErrNotFound
	}
	if s.strange(id) {
		return webhook.Delivery{}, webhook.ErrNotFound
	}
	it, err := s.alive(ctx, deliveryKey(tenant, id))
	if s.spread && errors.Is(err, webhook.ErrNotFound) {
		return s.ofGroup(ctx, tenant, id)
	}
	if err != nil {
		return webhook.Delivery{}, err
	}
	return readDelivery(tenant, id, it)
}

// strange reports whether an id, which a caller may have made up, is none that names
// a partition.
func (s *Store) strange(id string) bool { return s.spread && !isDeliveryID(id) }

// DeliveriesByID returns those that are stored, by id.
func (s *Store) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	if s.spread {
		return s.lookFor(ctx, tenant, ids, true)
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return s.written.absent(ctx, s.table, tenant, id) })
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = deliveryKey(tenant, id)
	}
	if len(keys) == 0 {
		return map[string]webhook.Delivery{}, nil
	}
	items, err := s.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	found := make(map[string]webhook.Delivery, len(items))
	for i, id := range ids {
		it, there := items[keys[i]]
		if !there {
			continue
		}
		if found[id], err = readDelivery(tenant, id, it); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// SaveDelivery stores d, and the parts that come with it, if the stored one
// still has d.Rev (0: if none is stored), with d.Rev+1; otherwise
// [webhook.ErrConflict].
func (s *Store) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if s.spread {
		return s.saveSpread(ctx, d, with)
	}
	was := webhook.Succeeded // which nothing names
	var isNew func() bool
	if d.Rev > 0 {
		stored, err := one(ctx, s.table, deliveryKey(d.Tenant, d.ID))
		if errors.Is(err, webhook.ErrNotFound) || err == nil && stored.Fields.Int(revision) != d.Rev {
			return webhook.ErrConflict
		}
		if err != nil {
			return err
		}
		was = statusOf(stored)
	} else {
		isNew = s.written.add(d.Tenant, d.ID, d.ID)
	}
	d.Rev++
	writes := []table.Write{{Item: s.deliveryItem(d), If: table.Revision(revision, d.Rev)}}
	writes = append(writes, names(d, was)...)
	writes = append(writes, s.parts(d, with)...)
	wait := table.ForOthers
	if d.Status == webhook.Canceled {
		wait = table.ForDisk // somebody was told so
	}
	return conflict(writeNew(ctx, s.table, writes, wait, isNew))
}

// SaveDeliveries saves each as SaveDelivery does, and returns an error for each;
// nil if all are saved.
func (s *Store) SaveDeliveries(ctx context.Context, saves []webhook.Save) []error {
	var errs []error
	if s.spread {
		errs = s.saveTogether(ctx, saves)
	} else {
		errs = s.saveEach(ctx, saves)
	}
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		return errs
	}
	return nil
}

// saveEach saves all at once: a local table puts them into one transaction.
func (s *Store) saveEach(ctx context.Context, saves []webhook.Save) []error {
	errs := make([]error, len(saves))
	var wg sync.WaitGroup
	for i, save := range saves {
		wg.Go(func() { errs[i] = s.SaveDelivery(ctx, save.Delivery, save.With) })
	}
	wg.Wait()
	return errs
}

// names are the writes of the items that name a delivery, beside those of the
// table's indexes: by subscription and status, as long as it has not succeeded,
// and by its event, if it has an occasion.
func names(d webhook.Delivery, was webhook.Status) (writes []table.Write) {
	if was != d.Status && was != webhook.Succeeded {
		writes = append(writes, table.Write{Verb: table.Deletes, Item: table.Item{Key: openKey(d, was)}})
	}
	if was != d.Status && d.Status != webhook.Succeeded {
		writes = append(writes, table.Write{Item: table.Item{Key: openKey(d, d.Status), Fields: table.Fields{}}})
	}
	if d.Rev == 1 && d.Occasion != "" {
		writes = append(writes, table.Write{Item: table.Item{Key: occasionKey(d.Tenant, d.EventKey(), d.ID), Fields: table.Fields{}}})
	}
	return writes
}

// openKey names a delivery that has not succeeded.
func openKey(d webhook.Delivery, status webhook.Status) table.Key {
	return and(openOf(d.Tenant, d.Subscription, status), d.ID)
}

func openOf(tenant, subscription string, status webhook.Status) table.Key {
	return and(ofSubscription(openKind, webhook.SubscriptionRef{Tenant: tenant, ID: subscription}), string(status))
}

// subscriptionPlace is where index 1 has a delivery.
func subscriptionPlace(tenant, subscription, id string) table.Key {
	return table.Key{Partition: "d#" + table.Name(tenant) + separator + table.Name(subscription), Sort: id}
}

// openPlace is where index 1 has a delivery that has not succeeded, and openOfPlace
// where index 2 has it, in a table that many machines have. There, the partition of
// a subscription's deliveries is no index's.
func openPlace(tenant string, status webhook.Status, id string) table.Key {
	return at(deliveryKind, tenant, table.Name(string(status))+separator+id)
}

func openOfPlace(tenant, subscription string, status webhook.Status, id string) table.Key {
	return at(deliveryKind, tenant, webhook.DeliveryTag(tenant, subscription)+separator+table.Name(string(status))+separator+id)
}

// statusPlace is where index 2 has a delivery that has not succeeded.
func statusPlace(tenant string, status webhook.Status, id string) table.Key {
	return table.Key{Partition: "d#" + table.Name(tenant) + separator + string(status), Sort: id}
}
