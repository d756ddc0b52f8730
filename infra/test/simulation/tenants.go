package simulation

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/webhook"
)

// EnsureTenant registers the tenant, and reports whether it was not known.
func (s *Store) EnsureTenant(_ context.Context, tenant string) (created bool, err error) {
	defer s.lock()()
	if s.gone[tenant].Running() {
		return false, webhook.ErrDeleting
	}
	_, found := s.tenants[tenant]
	created = !found || s.unknown[tenant]
	s.tenants[tenant] += 0
	delete(s.unknown, tenant)
	return created, nil
}

// FindTenant returns nil if the tenant is known.
func (s *Store) FindTenant(_ context.Context, tenant string) error {
	defer s.lock()()
	if s.gone[tenant].Running() {
		return webhook.ErrDeleting
	}
	if _, found := s.tenants[tenant]; !found || s.unknown[tenant] {
		return webhook.ErrNotFound
	}
	return nil
}

// PageTenants lists tenants by name.
func (s *Store) PageTenants(_ context.Context, page webhook.Page) ([]string, string, error) {
	defer s.lock()()
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(s.tenants)), func(name string) bool { return s.unknown[name] })
	return pageOf(known, page, strings.Clone, "tenants")
}

// TenantState returns the tenant's counter and its last deletion.
func (s *Store) TenantState(_ context.Context, tenant string) (webhook.TenantState, error) {
	defer s.lock()()
	return webhook.TenantState{Version: s.tenants[tenant], Deletion: s.gone[tenant]}, nil
}

// BeginDeletion notes that a tenant is being deleted.
func (s *Store) BeginDeletion(_ context.Context, tenant string, now time.Time) error {
	defer s.lock()()
	if _, found := s.tenants[tenant]; !found || s.unknown[tenant] {
		return webhook.ErrNotFound
	}
	if !s.gone[tenant].Running() {
		s.gone[tenant] = webhook.Deletion{Began: now}
	}
	return nil
}

// EndDeletion writes that a tenant's deletion has ended.
func (s *Store) EndDeletion(_ context.Context, tenant string, now time.Time) error {
	defer s.lock()()
	if gone := s.gone[tenant]; gone.Running() {
		gone.Ended = now
		s.gone[tenant], s.unknown[tenant] = gone, true
		s.tenants[tenant]++
	}
	return nil
}

// PurgeTenant removes everything of a tenant at once.
func (s *Store) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	if removed, err = s.Purge(ctx, tenant, limit); removed > 0 || err != nil {
		return removed, err
	}
	for _, prefix := range noun.PrefixesOf(tenant) {
		if removed, err = s.PurgePartitions(ctx, s.items.Partitions(prefix), limit); removed > 0 || err != nil {
			return removed, err
		}
	}
	defer s.lock()()
	for _, n := range []int{
		purge(s.events, func(k [2]string) string { return k[0] }, tenant), purge(s.deliveries, func(k [2]string) string { return k[0] }, tenant),
		purge(s.attempts, func(k [2]string) string { return k[0] }, tenant), purge(s.contents, func(k [2]string) string { return k[0] }, tenant),
		purge(s.heads, func(r webhook.SubscriptionRef) string { return r.Tenant }, tenant),
		purge(s.lines, func(r webhook.SubscriptionRef) string { return r.Tenant }, tenant),
		purge(s.versions, func(r webhook.VersionRef) string { return r.Tenant }, tenant),
		purge(s.states, func(r webhook.StateRef) string { return r.Tenant }, tenant),
		purge(s.plans, func(p planPage) string { return p.tenant }, tenant),
		purge(s.changes, strings.Clone, tenant),
	} {
		removed += n
	}
	return removed, nil
}

// purge removes a tenant's entries and returns how many there were.
func purge[K comparable, V any](all map[K]V, owner func(K) string, tenant string) (n int) {
	before := len(all)
	maps.DeleteFunc(all, func(k K, _ V) bool { return owner(k) == tenant })
	return before - len(all)
}
