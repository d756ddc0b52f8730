package record

import (
	"context"
	"errors"
	"sync"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// groupTries bounds how often a group is read anew because others changed it.
const groupTries = 20

// saveTogether saves deliveries where many machines have the table. Those of one
// group that are written for the first time are one write, and one more for each
// that did not succeed at once.
func (s *Store) saveTogether(ctx context.Context, saves []webhook.Save) []error {
	errs := make([]error, len(saves))
	var wg sync.WaitGroup
	for k, places := range byGroup(saves) {
		if k != (table.Key{}) {
			wg.Go(func() { s.saveGroup(ctx, k, saves, places, errs) })
			continue
		}
		for _, i := range places {
			wg.Go(func() { errs[i] = s.SaveDelivery(ctx, saves[i].Delivery, saves[i].With) })
		}
	}
	wg.Wait()
	return errs
}

var errForeignID = errors.New("save delivery: the id is not of this tenant and subscription")

// saveSpread is SaveDelivery where many machines have the table: a transaction costs
// twice as much there. What comes with a delivery is stored before it, so that no
// stored delivery lacks its parts.
func (s *Store) saveSpread(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if !isDeliveryID(d.ID) || d.Rev == 0 && foreign(d) {
		return errForeignID
	}
	if its, decides := decidedBy(d); decides {
		errs := make([]error, 1)
		s.saveGroup(ctx, its, []webhook.Save{{Delivery: d, With: with}}, []int{0}, errs)
		return errs[0]
	}
	return s.saveOwn(ctx, d, with)
}

// foreign reports whether a delivery's id is not of its tenant and subscription.
func foreign(d webhook.Delivery) bool {
	_, tag, err := webhook.ParseDeliveryID(d.ID)
	return err != nil || tag != webhook.DeliveryTag(d.Tenant, d.Subscription)
}

// byGroup returns the places of the saves by the key of the group that decides
// about them; no key if none does.
func byGroup(saves []webhook.Save) map[table.Key][]int {
	places := map[table.Key][]int{}
	for i, save := range saves {
		k, _ := decidedBy(save.Delivery)
		places[k] = append(places[k], i)
	}
	return places
}

// decidedBy returns the key of the group that decides whether a delivery is
// written for the first time; false if it has none.
func decidedBy(d webhook.Delivery) (table.Key, bool) {
	if d.Rev > 0 || foreign(d) {
		return table.Key{}, false
	}
	return groupKey(d.Tenant, d.ID)
}

// saveGroup saves deliveries of one group that are written for the first time:
// the group decides, and then each that needs it gets its own item. Who stops in
// between has not saved that one: whoever comes again finds no item of its own.
func (s *Store) saveGroup(ctx context.Context, k table.Key, saves []webhook.Save, places []int, errs []error) {
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
func (s *Store) enter(ctx context.Context, k table.Key, saves []webhook.Save, places []int, errs []error) (own []int, err error) {
	g := group{entries: map[string]entry{}} // as it nearly always is
	for try := range groupTries {
		if try > 0 {
			if err := s.pause(ctx, try-1); err != nil {
				return nil, err
			}
			if g, err = s.groupAt(ctx, k); err != nil {
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
	return nil, webhook.ErrBusy
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
	var before []table.Item
	for _, w := range s.parts(d, with) {
		before = append(before, w.Item)
	}
	if d.Rev == 0 && d.Occasion != "" {
		before = append(before, s.pointer(d))
	}
	if len(before) > 0 {
		if err := table.PutAll(ctx, s.table, before); err != nil {
			return err
		}
	}
	if err := s.prolong(ctx, d); err != nil {
		return err
	}
	rev := d.Rev
	d.Rev++
	it := s.deliveryItem(d)
	err := s.putRevision(ctx, it, rev)
	if its, grouped := groupKey(d.Tenant, d.ID); grouped && rev == 1 && errors.Is(err, webhook.ErrConflict) {
		return s.takeOut(ctx, its, d.ID, it)
	}
	return err
}

// takeOut stores the first item of its own of a delivery that only its group
// knew, which from then on says to look for it.
func (s *Store) takeOut(ctx context.Context, k table.Key, id string, it table.Item) error {
	for try := range groupTries {
		if err := s.pause(ctx, try); err != nil {
			return err
		}
		g, err := s.groupAt(ctx, k)
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
		return s.putRevision(ctx, it, 0)
	}
	return webhook.ErrBusy
}
