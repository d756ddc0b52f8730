package simulation

import (
	"context"
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// PutEventType registers a type, and reports whether it was not.
func (s *Store) PutEventType(_ context.Context, typ webhook.EventType) (created bool, err error) {
	defer s.lock()()
	place := [2]string{typ.Tenant, typ.Type}
	_, found := s.types[place]
	s.types[place] = typ
	return !found, nil
}

// EventTypes returns the types that are registered, by name.
func (s *Store) EventTypes(_ context.Context, tenant string, types []string) (map[string]webhook.EventType, error) {
	defer s.lock()()
	found := map[string]webhook.EventType{}
	for _, name := range types {
		if typ, ok := s.types[[2]string{tenant, name}]; ok {
			found[name] = typ
		}
	}
	return found, nil
}

// PageEventTypes lists types by name, without schema and sample.
func (s *Store) PageEventTypes(_ context.Context, tenant string, page webhook.Page) ([]webhook.EventType, string, error) {
	defer s.lock()()
	var found []webhook.EventType
	for place, typ := range s.types {
		if place[0] == tenant {
			typ.Schema, typ.Sample = nil, nil
			found = append(found, typ)
		}
	}
	slices.SortFunc(found, func(a, b webhook.EventType) int { return strings.Compare(a.Type, b.Type) })
	return pageOf(found, page, func(t webhook.EventType) string { return t.Type }, "event types", tenant)
}

// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
func (s *Store) DeleteEventType(_ context.Context, tenant, typ string) error {
	defer s.lock()()
	place := [2]string{tenant, typ}
	if _, found := s.types[place]; !found {
		return webhook.ErrNotFound
	}
	delete(s.types, place)
	return nil
}
