package dynamostore

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// groupTries bounds how often a group is read anew because others changed it.
const groupTries = 20

// SaveDeliveries saves each as SaveDelivery does, and returns an error for each;
// nil if all are saved. Those of one group that are written for the first time
// are one write, and one more for each that did not succeed at once.
func (s *Store) SaveDeliveries(ctx context.Context, saves []webhook.Save) []error {
	errs := make([]error, len(saves))
	var wg sync.WaitGroup
	for k, places := range byGroup(saves) {
		if k != (key{}) {
			wg.Go(func() { s.saveGroup(ctx, k, saves, places, errs) })
			continue
		}
		for _, i := range places {
			wg.Go(func() { errs[i] = s.SaveDelivery(ctx, saves[i].Delivery, saves[i].With) })
		}
	}
	wg.Wait()
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		return errs
	}
	return nil
}

// byGroup returns the places of the saves by the key of the group that decides
// about them; no key if none does.
func byGroup(saves []webhook.Save) map[key][]int {
	places := map[key][]int{}
	for i, save := range saves {
		k, _ := decidedBy(save.Delivery)
		places[k] = append(places[k], i)
	}
	return places
}

// decidedBy returns the key of the group that decides whether a delivery is
// written for the first time; false if it has none.
func decidedBy(d webhook.Delivery) (key, bool) {
	if d.Rev > 0 || foreign(d) {
		return key{}, false
	}
	return groupKey(d.Tenant, d.ID)
}

// saveGroup saves deliveries of one group that are written for the first time:
// the group decides, and then each that needs it gets its own item. Who stops in
// between has not saved that one: whoever comes again finds no item of its own.
func (s *Store) saveGroup(ctx context.Context, k key, saves []webhook.Save, places []int, errs []error) {
	own, err := s.enter(ctx, k, saves, places, errs)
	if err != nil {
		for _, i := range places {
			errs[i] = err
		}
		return
	}
	var wg sync.WaitGroup
	for _, i := range own {
		wg.Go(func() { errs[i] = s.saveOwn(ctx, saves[i].Delivery, saves[i].With) })
	}
	wg.Wait()
}

// enter enters deliveries into their group, and returns the places of those that
// need an item of their own.
func (s *Store) enter(ctx context.Context, k key, saves []webhook.Save, places []int, errs []error) (own []int, err error) {
	g := group{entries: map[string]entry{}} // as it nearly always is
	for try := range groupTries {
		if try > 0 {
			if err := pause(ctx, try-1); err != nil {
				return nil, fault("save outcomes", err)
			}
			if g, err = s.group(ctx, k); err != nil {
				return nil, err
			}
		}
		own, changed := g.enter(saves, places, errs)
		if !changed {
			return own, nil
		}
		if err = s.putGroup(ctx, k, g); !errors.Is(err, webhook.ErrConflict) {
			return own, err
		}
	}
	return nil, coded("save outcomes", "TransactionConflict")
}

// enter is a conflict for a delivery of which the group knows what it became.
func (g group) enter(saves []webhook.Save, places []int, errs []error) (own []int, changed bool) {
	for _, i := range places {
		d := saves[i].Delivery
		e, known := g.entries[d.ID]
		if !known {
			if e = outcomeOf(d); saves[i].With != (webhook.Parts{}) {
				e = entry{ID: d.ID, Own: true}
			}
			g.entries[d.ID], changed = e, true
		} else if e.Event != "" {
			errs[i] = webhook.ErrConflict
			continue
		}
		if errs[i] = nil; e.Own {
			own = append(own, i)
		}
	}
	return own, changed
}

// saveOwn saves a delivery in an item of its own, behind what comes with it.
func (s *Store) saveOwn(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	k, _ := deliveryKey(d.Tenant, d.ID)
	if err := s.putParts(ctx, k, with); err != nil {
		return err
	}
	if err := s.putOccasion(ctx, d); err != nil {
		return err
	}
	if err := s.prolong(ctx, k, d); err != nil {
		return err
	}
	it, err := s.deliveryItem(k, d)
	if err != nil {
		return err
	}
	err = s.putRevision(ctx, "save delivery", it, d.Rev)
	if its, grouped := groupKey(d.Tenant, d.ID); grouped && d.Rev == 1 && errors.Is(err, webhook.ErrConflict) {
		return s.takeOut(ctx, its, d.ID, it)
	}
	return err
}

// takeOut stores the first item of its own of a delivery that only its group
// knew, which from then on says to look for it.
func (s *Store) takeOut(ctx context.Context, k key, id string, it item) error {
	for try := range groupTries {
		if err := pause(ctx, try); err != nil {
			return fault("save delivery", err)
		}
		g, err := s.group(ctx, k)
		if err != nil {
			return err
		}
		e := g.entries[id]
		if e.Event == "" {
			return webhook.ErrConflict
		}
		if !e.Own {
			e.Own, e.Response = true, nil // which may be what is to be removed
			g.entries[id] = e
			if err = s.putGroup(ctx, k, g); errors.Is(err, webhook.ErrConflict) {
				continue
			}
			if err != nil {
				return err
			}
		}
		return s.putRevision(ctx, "save delivery", it, 0)
	}
	return coded("save delivery", "TransactionConflict")
}
