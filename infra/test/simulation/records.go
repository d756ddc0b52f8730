package simulation

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Delivery returns a stored delivery, or [webhook.ErrNotFound].
func (s *Store) Delivery(_ context.Context, tenant, id string) (webhook.Delivery, error) {
	defer s.lock()()
	d, found := s.deliveries[[2]string{tenant, id}]
	if !found {
		return d, webhook.ErrNotFound
	}
	return d, nil
}

// DeliveriesByID returns those that are stored, by id.
func (s *Store) DeliveriesByID(_ context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	defer s.lock()()
	found := map[string]webhook.Delivery{}
	for _, id := range ids {
		if d, ok := s.deliveries[[2]string{tenant, id}]; ok {
			found[id] = d
		}
	}
	return found, nil
}

// SaveDelivery stores d and its parts if the stored one still has d.Rev.
func (s *Store) SaveDelivery(_ context.Context, d webhook.Delivery, with webhook.Parts) error {
	defer s.lock()()
	key := [2]string{d.Tenant, d.ID}
	if s.deliveries[key].Rev != d.Rev {
		return webhook.ErrConflict
	}
	d.Rev++
	if d.Last != nil {
		last := *d.Last
		d.Last = &last
	}
	s.deliveries[key] = d
	if with.Attempt != nil {
		if s.attempts[key] == nil {
			s.attempts[key] = map[int]webhook.Attempt{}
		}
		s.attempts[key][with.Attempt.Number] = *with.Attempt
	}
	if with.Content != nil {
		s.contents[key] = *with.Content
	}
	return nil
}

// PageDeliveries lists stored deliveries by id, those of a subject by event.
func (s *Store) PageDeliveries(_ context.Context, tenant string, f webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	defer s.lock()()
	var found []webhook.Delivery
	for key, d := range s.deliveries {
		about, created := s.events[[2]string{tenant, d.EventKey()}], d.CreatedAt
		if f.Subject != "" {
			created = about.AcceptedAt // a list by subject is in the order of its events
		}
		if key[0] == tenant && (f.Subject == "" || f.Subject == about.Subject) && (f.Subscription == "" || f.Subscription == d.Subscription) && (f.Status == "" || f.Status == d.Status) && within(created, page) {
			found = append(found, d)
		}
	}
	position := func(d webhook.Delivery) string {
		if f.Subject == "" {
			return d.ID
		}
		e := s.events[[2]string{tenant, d.EventKey()}]
		return fmt.Sprintf("%020d %s %s", e.AcceptedAt.UnixMilli(), e.Key(), d.ID)
	}
	slices.SortFunc(found, func(a, b webhook.Delivery) int { return strings.Compare(position(a), position(b)) })
	return pageOf(found, page, position, "deliveries", tenant, f.Subscription, string(f.Status), f.Subject)
}

// Attempts lists a delivery's stored attempts by number.
func (s *Store) Attempts(_ context.Context, tenant, id string) (attempts []webhook.Attempt, err error) {
	defer s.lock()()
	for _, a := range s.attempts[[2]string{tenant, id}] {
		attempts = append(attempts, a)
	}
	slices.SortFunc(attempts, func(a, b webhook.Attempt) int { return a.Number - b.Number })
	return attempts, nil
}

// Content returns a delivery's stored body, or [webhook.ErrNotFound].
func (s *Store) Content(_ context.Context, tenant, id string) (webhook.Content, error) {
	defer s.lock()()
	c, found := s.contents[[2]string{tenant, id}]
	if !found {
		return c, webhook.ErrNotFound
	}
	return c, nil
}

// TriggerState returns the parts in the order asked for.
func (s *Store) TriggerState(_ context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	defer s.lock()()
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i] = s.states[ref]
		items[i].StateRef, items[i].Data = ref, bytes.Clone(items[i].Data)
	}
	return items, nil
}

// SaveTriggerState stores all items if every stored one still has its Rev.
func (s *Store) SaveTriggerState(_ context.Context, items []webhook.StateItem) error {
	defer s.lock()()
	for _, item := range items {
		if s.states[item.StateRef].Rev != item.Rev {
			return webhook.ErrConflict
		}
	}
	for _, item := range items {
		item.Rev++
		item.Data = bytes.Clone(item.Data)
		s.states[item.StateRef] = item
	}
	return nil
}

// ListTriggerState returns up to limit parts of ref's key beyond ref.Part.
func (s *Store) ListTriggerState(_ context.Context, ref webhook.StateRef, limit int) (items []webhook.StateItem, err error) {
	defer s.lock()()
	after := ref.Part
	for stored, item := range s.states {
		if ref.Part = stored.Part; stored == ref && stored.Part > after {
			item.Data = bytes.Clone(item.Data)
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b webhook.StateItem) int { return strings.Compare(a.Part, b.Part) })
	return items[:min(limit, len(items))], nil
}

// DeleteTriggerState removes parts; a repeat changes nothing.
func (s *Store) DeleteTriggerState(_ context.Context, refs []webhook.StateRef) error {
	defer s.lock()()
	for _, ref := range refs {
		delete(s.states, ref)
	}
	return nil
}

// KeepEvent does nothing: here no event expires.
func (s *Store) KeepEvent(context.Context, string, string, time.Time) error { return nil }
