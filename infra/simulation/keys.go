package simulation

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// PutKey stores a key under its id.
func (s *Store) PutKey(_ context.Context, key webhook.Key) error {
	defer s.lock()()
	key.Hash = bytes.Clone(key.Hash)
	s.keys[[2]string{key.Tenant, key.ID}] = key
	return nil
}

// Key returns a tenant's key, or [webhook.ErrNotFound].
func (s *Store) Key(_ context.Context, tenant, id string) (webhook.Key, error) {
	defer s.lock()()
	key, found := s.keys[[2]string{tenant, id}]
	if !found {
		return key, webhook.ErrNotFound
	}
	return key, nil
}

// PageKeys lists keys by id, without their hashes.
func (s *Store) PageKeys(_ context.Context, tenant string, page webhook.Page) ([]webhook.Key, string, error) {
	defer s.lock()()
	var found []webhook.Key
	for place, key := range s.keys {
		if place[0] == tenant {
			key.Hash = nil
			found = append(found, key)
		}
	}
	slices.SortFunc(found, func(a, b webhook.Key) int { return strings.Compare(a.ID, b.ID) })
	return pageOf(found, page, func(k webhook.Key) string { return k.ID }, "keys", tenant)
}

// DeleteKey removes a key, or returns [webhook.ErrNotFound].
func (s *Store) DeleteKey(_ context.Context, tenant, id string) error {
	defer s.lock()()
	place := [2]string{tenant, id}
	if _, found := s.keys[place]; !found {
		return webhook.ErrNotFound
	}
	delete(s.keys, place)
	return nil
}
