package record

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func tenantKey(tenant string) table.Key {
	return table.Key{Partition: tenantsPartition, Sort: table.Name(tenant)}
}

// counterKey is where a tenant's change counter n is, with that of its people (pv), how many subscriptions
// it has (sn), what their filters take (sw), and when its last deletion began (gb)
// and ended (ge).
func counterKey(tenant string) table.Key { return at(counterKind, tenant, "V") }

// ofDeletion is the field of a tenant that is being deleted.
const ofDeletion = "dl"

// EnsureTenant registers the tenant, and reports whether it was not known; a
// repeat changes nothing. While it is being deleted, [webhook.ErrDeleting].
func (s *Store) EnsureTenant(ctx context.Context, tenant string) (created bool, err error) {
	if err := s.FindTenant(ctx, tenant); !errors.Is(err, webhook.ErrNotFound) {
		return false, err
	}
	old, _, err := s.table.Put(ctx, table.Item{Key: tenantKey(tenant), Fields: table.Fields{}}, table.How{If: table.NoItem()})
	if errors.Is(err, table.ErrRefused) {
		return false, deleting(old)
	}
	return err == nil, err
}

// FindTenant returns nil if the tenant is known, [webhook.ErrNotFound] if it is
// not, and [webhook.ErrDeleting] while it is being deleted.
func (s *Store) FindTenant(ctx context.Context, tenant string) error {
	it, err := s.one(ctx, tenantKey(tenant))
	return cmp.Or(err, deleting(it))
}

func deleting(tenant table.Item) error {
	if tenant.Fields.Int(ofDeletion) != 0 {
		return webhook.ErrDeleting
	}
	return nil
}

// PageTenants lists tenants by name.
func (s *Store) PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error) {
	l := newList[string](page, anyText, "tenants")
	return l.read(ctx, s, span{partition: tenantsPartition, high: behindAll}, func(key string, _ table.Item) (string, bool, error) {
		return key, true, nil
	})
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change.
func (s *Store) TenantVersion(ctx context.Context, tenant string) (version int64, err error) {
	state, err := s.TenantState(ctx, tenant)
	return state.Version, err
}

// TenantState returns the same counter, and the tenant's last deletion.
func (s *Store) TenantState(ctx context.Context, tenant string) (state webhook.TenantState, err error) {
	state, found, generation := s.recent.findTenant(tenant)
	if found {
		return state, nil
	}
	it, err := s.one(ctx, counterKey(tenant))
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return state, err
	}
	state = webhook.TenantState{Version: it.Fields.Int("n"), People: it.Fields.Int("pv"), Deletion: webhook.Deletion{Began: it.Fields.Time("gb"), Ended: it.Fields.Time("ge")}}
	s.recent.put(generation, nil, map[string]webhook.TenantState{tenant: state})
	return state, nil
}

// PeopleChanged counts a change of a tenant's computed attributes or segments.
func (s *Store) PeopleChanged(ctx context.Context, tenant string) error {
	return s.recent.change(func() error {
		_, _, err := s.table.Update(ctx, counterKey(tenant), table.Change{Add: map[string]int64{"pv": 1}}, table.How{})
		return err
	})
}

// ended holds of a counter whose tenant is not being deleted.
var ended = table.Absent("gb").Or(table.Greater("ge", 0))

// BeginDeletion notes that a tenant is being deleted from now on, or returns
// [webhook.ErrNotFound]. A repeat changes nothing.
func (s *Store) BeginDeletion(ctx context.Context, tenant string, now time.Time) error {
	err := s.recent.change(func() error {
		return s.table.Transact(ctx, []table.Write{
			{Verb: table.Updates, Item: table.Item{Key: tenantKey(tenant)}, Change: table.Change{Set: table.Fields{ofDeletion: int64(1)}}, If: table.Exists()},
			{Verb: table.Updates, Item: table.Item{Key: counterKey(tenant)}, Change: table.Change{Set: table.Fields{"gb": table.Nanos(now), "ge": int64(0)}}, If: ended},
		}, table.ForDisk)
	})
	var refusal *table.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	if _, unknown := refusal.Refused[0]; unknown {
		return webhook.ErrNotFound
	}
	return nil
}

// EndDeletion writes that a tenant's deletion has ended, and forgets its name.
// Its change counter goes on from where it was: one higher, without an entry in
// the change log, so that whoever knows the tenant loads it anew.
func (s *Store) EndDeletion(ctx context.Context, tenant string, now time.Time) error {
	err := s.recent.change(func() error {
		return s.table.Transact(ctx, []table.Write{
			{Verb: table.Updates, Item: table.Item{Key: counterKey(tenant)}, Change: table.Change{
				Set: table.Fields{"ge": table.Nanos(now), "sn": int64(0), "sw": int64(0)}, Add: map[string]int64{"n": 1},
			}, If: table.Greater("gb", 0).And(table.Absent("ge"))},
			{Verb: table.Deletes, Item: table.Item{Key: tenantKey(tenant)}},
		}, table.ForDisk)
	})
	if errors.Is(err, table.ErrRefused) {
		return nil // it has ended
	}
	return err
}
